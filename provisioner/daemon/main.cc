// umlfarmd: one per host. Owns the farm's state and serves its API.
#include <malloc.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/program_options.hpp>
#include <csignal>
#include <filesystem>
#include <iostream>

#include "provisioner/api/server.h"
#include "provisioner/daemon/farm.h"
#include "provisioner/daemon/farm_service.h"
#include "provisioner/daemon/halt.h"
#include "provisioner/daemon/metrics_pages.h"

namespace umlfarm::daemon {
namespace {

namespace options = boost::program_options;

constexpr unsigned kBlockingThreads = 16;

struct Arguments {
  std::string root;
  std::string config;
  std::string supervisor;
  std::string libvirt;
  bool tear_down = false;
  bool halt_guests = false;
};

std::string beside_this_program(const char* name) {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return (self.parent_path() / name).string();
}

// Exit code, or nothing to go on.
std::optional<int> read_arguments(int argc, char** argv, Arguments& arguments) {
  options::options_description known(
      "umlfarmd: runs the farm of this host until it is told to end (SIGTERM);\n"
      "its guests stay\n\nOptions");
  known.add_options()("help,h", "say this")("version", "say which version this is")(
      "root", options::value(&arguments.root)->default_value(""),
      "directory under which all files of the farm are; by default the machine's own /etc, /var/lib, /run")(
      "config", options::value(&arguments.config), "configuration (default: ROOT/etc/umlfarm/umlfarm.toml)")(
      "supervisor",
      options::value(&arguments.supervisor)->default_value(beside_this_program("umlfarm-supervisor")),
      "the supervisor's program")(
      "libvirt", options::value(&arguments.libvirt)->default_value(beside_this_program("umlfarm-libvirt")),
      "the program that asks libvirt about this host")(
      "tear-down", options::bool_switch(&arguments.tear_down),
      "kill all guests, remove network and control groups, and end; disks and state stay")(
      "halt-guests", options::bool_switch(&arguments.halt_guests),
      "stop all guests as a host that goes down must, and end; they start again with the daemon");
  options::variables_map values;
  options::store(options::parse_command_line(argc, argv, known), values);
  options::notify(values);
  if (values.count("help") != 0) {
    std::cout << known;
    return 0;
  }
  if (values.count("version") != 0) {
    std::cout << "umlfarmd " UMLFARM_VERSION "\n";
    return 0;
  }
  return {};
}

// A connection to each running guest's supervisor, and those of people: the soft limit is soon too low.
void allow_many_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) < 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

// Each of many threads has much for a moment and then little: with room of its own for each of them, as they
// have by default, a farm of a thousand guests takes twice the memory (tests/bench/metrics_bench.cc).
void share_free_memory() { (void)::mallopt(M_ARENA_MAX, 1); }

Status run(const Arguments& arguments) {
  const Paths paths(arguments.root.empty() ? "" : std::filesystem::absolute(arguments.root).string());
  if (arguments.halt_guests) return halt_guests(paths);
  UMLFARM_ASSIGN(config::Config config,
                 config::load(arguments.config.empty() ? paths.config() : arguments.config));
  const std::set<uid_t> admins(config.admins.begin(), config.admins.end());
  boost::asio::io_context loop;
  UMLFARM_ASSIGN(const std::unique_ptr<Farm> farm,
                 Farm::open({paths, std::move(config), arguments.supervisor, arguments.libvirt}, loop,
                            !arguments.tear_down));
  if (arguments.tear_down) return farm->tear_down();
  Collector collector(*farm, std::chrono::seconds(farm->config().metrics.interval_seconds));
  FarmService service(*farm, collector);
  UMLFARM_ASSIGN(const std::unique_ptr<api::Server> server,
                 api::Server::start(loop, paths.socket(), admins, service, kBlockingThreads));
  const std::unique_ptr<api::PageServer> pages = offer_metrics(loop, *farm, collector);
  boost::asio::signal_set signals(loop, SIGTERM, SIGINT);
  signals.async_wait([&](const boost::system::error_code&, int) { loop.stop(); });
  spdlog::info("umlfarmd {} listens on {}", UMLFARM_VERSION, paths.socket());
  loop.run();
  farm->stop_work();
  // When the host goes down, its guests' counters go as well before there is another daemon.
  farm->count_now();
  return {};
}

int run_main(int argc, char** argv) {
  spdlog::set_default_logger(spdlog::stderr_logger_mt("umlfarmd"));
  // Supervisors are children, and live longer than this process: nobody waits for them.
  (void)::signal(SIGCHLD, SIG_IGN);
  (void)::signal(SIGPIPE, SIG_IGN);
  allow_many_descriptors();
  share_free_memory();
  Arguments arguments;
  if (const auto code = read_arguments(argc, argv, arguments)) return *code;
  const Status done = run(arguments);
  if (done) return 0;
  std::cerr << "umlfarmd: " << done.error().message() << "\n";
  return exit_code(done.error().kind());
}

}  // namespace
}  // namespace umlfarm::daemon

int main(int argc, char** argv) {
  try {
    return umlfarm::daemon::run_main(argc, argv);
  } catch (const boost::program_options::error& fault) {
    std::cerr << "umlfarmd: " << fault.what() << "; see umlfarmd --help\n";
    return 2;
  } catch (const std::exception& fault) {
    std::cerr << "umlfarmd: " << fault.what() << "\n";
    return 1;
  }
}
