#include "hostsetup/firewalls.h"

#include <algorithm>
#include <boost/json.hpp>
#include <functional>
#include <set>

namespace umlfarm::hostsetup {
namespace {

namespace json = boost::json;
using Table = std::pair<std::string, std::string>;  // family, name

constexpr const char* kOurTables = "umlfarm";

std::string word(const json::object& object, const char* key) {
  const json::value* const value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

Table table_of(const json::object& object) { return {word(object, "family"), word(object, "table")}; }

// What a rule does: its statements, in their order.
std::vector<json::object> statements(const json::object& rule) {
  std::vector<json::object> found;
  const json::value* const all = rule.if_contains("expr");
  if (all == nullptr || !all->is_array()) return found;
  for (const json::value& each : all->get_array()) {
    if (each.is_object()) found.push_back(each.get_object());
  }
  return found;
}

// Also as a target of iptables that nft has no word for.
bool refuses(const json::object& statement) {
  if (statement.contains("drop") || statement.contains("reject")) return true;
  const json::value* const foreign = statement.if_contains("xt");
  return foreign != nullptr && foreign->is_object() && word(foreign->get_object(), "name") == "REJECT";
}

bool refuses_all(const json::object& rule) {
  const auto all = statements(rule);
  return !all.empty() && refuses(all.back()) &&
         std::none_of(all.begin(), all.end(),
                      [](const json::object& each) { return each.contains("match"); });
}

// Whether one of its statements speaks of both: of what nft looks at, and what it compares that with.
bool speaks_of(const json::object& rule, const std::string& what, const std::string& value) {
  const auto all = statements(rule);
  return std::any_of(all.begin(), all.end(), [&](const json::object& each) {
    const std::string text = json::serialize(each);
    return text.find("\"" + what + "\"") != std::string::npos && text.find("\"" + value) != std::string::npos;
  });
}

bool lets_through(const json::object& rule) {
  const auto all = statements(rule);
  return !all.empty() && !refuses(all.back());
}

// Of connections that there are, by whatever device.
bool lets_answers_through(const json::object& rule) {
  return lets_through(rule) && speaks_of(rule, "state", "established") && !speaks_of(rule, "iifname", "") &&
         !speaks_of(rule, "oifname", "");
}

struct Ruleset {
  std::vector<json::object> chains;
  std::vector<json::object> rules;
};

Result<Ruleset> parse(const std::string& text) {
  boost::system::error_code error;
  const json::value document = json::parse(text, error);
  const json::value* const items =
      !error && document.is_object() ? document.get_object().if_contains("nftables") : nullptr;
  if (items == nullptr || !items->is_array())
    return Error(Kind::Invalid, "the ruleset is not what nft -j writes");
  Ruleset ruleset;
  for (const json::value& item : items->get_array()) {
    if (!item.is_object()) continue;
    for (const auto& [key, list] : {std::pair{"chain", &ruleset.chains}, std::pair{"rule", &ruleset.rules}}) {
      const json::value* const found = item.get_object().if_contains(key);
      if (found != nullptr && found->is_object()) list->push_back(found->get_object());
    }
  }
  return ruleset;
}

bool is_strict(const Ruleset& ruleset, const json::object& chain) {
  if (word(chain, "hook") != "forward" || word(chain, "family") == "bridge") return false;
  if (word(chain, "policy") == "drop") return true;
  const auto last = std::find_if(ruleset.rules.rbegin(), ruleset.rules.rend(), [&](const json::object& rule) {
    return table_of(rule) == table_of(chain) && word(rule, "chain") == word(chain, "name");
  });
  return last != ruleset.rules.rend() && refuses_all(*last);
}

// All chains that a statement may lead to, wherever it names them: a verdict may stand in a map.
void targets(const json::value& value, std::set<std::string>& found) {
  if (value.is_array()) {
    for (const json::value& each : value.get_array()) targets(each, found);
  } else if (value.is_object()) {
    for (const auto& [key, each] : value.get_object()) {
      if (key == "target" && each.is_string()) found.emplace(each.get_string());
      targets(each, found);
    }
  }
}

// The chain, and those that it leads to.
std::set<std::string> reached_from(const Ruleset& ruleset, const Table& table, const std::string& chain) {
  std::set<std::string> reached{chain};
  for (std::size_t before = 0; before != reached.size();) {
    before = reached.size();
    for (const json::object& rule : ruleset.rules) {
      if (table_of(rule) == table && reached.contains(word(rule, "chain"))) targets(rule, reached);
    }
  }
  return reached;
}

Obstacle::Keeper keeper_of(const Ruleset& ruleset, const Table& table) {
  if (table.second == "firewalld") return Obstacle::Keeper::Firewalld;
  const auto has = [&](const std::string& chain) {
    return std::any_of(ruleset.chains.begin(), ruleset.chains.end(), [&](const json::object& each) {
      return table_of(each) == table && word(each, "name").ends_with(chain);
    });
  };
  // "ufw-user-forward" and "ufw6-user-forward".
  if (has("-user-forward")) return Obstacle::Keeper::Ufw;
  return has("DOCKER-USER") ? Obstacle::Keeper::Docker : Obstacle::Keeper::Nobody;
}

using Commands = std::vector<std::string>;

void add_firewalld(const Passage& passage, Commands& commands) {
  const auto add = [&](const std::string& words) {
    commands.push_back("firewall-cmd -q --permanent " + words);
  };
  const auto policy = [&](const std::string& name, const std::string& from, const std::string& to) {
    add("--new-policy=" + name);
    add("--policy=" + name + " --add-ingress-zone=" + from);
    add("--policy=" + name + " --add-egress-zone=" + to);
    add("--policy=" + name + " --set-target=ACCEPT");
  };
  add("--new-zone=umlfarm");
  add("--zone=umlfarm --add-interface=" + passage.devices + "+");
  policy("umlfarm-out", "umlfarm", "ANY");
  if (passage.inward) policy("umlfarm-in", "ANY", "umlfarm");
  commands.emplace_back("firewall-cmd -q --reload");
}

// Docker keeps containers from others in chains that come later: only what goes on to the world is let
// through.
void add_docker(const Obstacle& wall, const Passage& passage, Commands& commands) {
  const std::string insert =
      (wall.family == "ip6" ? "ip6tables" : "iptables") + std::string(" -I DOCKER-USER ");
  const std::string to = passage.out.empty() ? "" : " -o " + passage.out;
  const std::string from = passage.out.empty() ? "" : " -i " + passage.out;
  const std::string device = passage.devices + "+";
  commands.push_back(insert + "-i " + device + to + " -j ACCEPT");
  commands.push_back(insert + "-o " + device + from +
                     (passage.inward ? "" : " -m conntrack --ctstate ESTABLISHED,RELATED") + " -j ACCEPT");
}

void add_nft(const Obstacle& wall, const Passage& passage, Commands& commands) {
  const std::string insert = "nft insert rule " + wall.str() + " ";
  const std::string device = "\"" + passage.devices + "*\"";
  commands.push_back(insert + "iifname " + device + " accept");
  if (passage.inward) {
    commands.push_back(insert + "oifname " + device + " accept");
  } else if (!wall.knows_answers) {
    commands.push_back(insert + "oifname " + device + " ct state established,related accept");
  }
}

}  // namespace

Result<std::vector<Obstacle>> obstacles(const std::string& text, const Passage& passage) {
  UMLFARM_ASSIGN(const Ruleset ruleset, parse(text));
  std::vector<Obstacle> found;
  for (const json::object& chain : ruleset.chains) {
    const Table table = table_of(chain);
    if (table.first == "ip6" && !passage.ipv6) continue;
    if (table.second.starts_with(kOurTables) || !is_strict(ruleset, chain)) continue;
    const std::set<std::string> chains = reached_from(ruleset, table, word(chain, "name"));
    const auto any = [&](const std::function<bool(const json::object&)>& does) {
      return std::any_of(ruleset.rules.begin(), ruleset.rules.end(), [&](const json::object& rule) {
        return table_of(rule) == table && chains.contains(word(rule, "chain")) && does(rule);
      });
    };
    const auto knows = [&](const char* direction) {
      return any([&](const json::object& rule) {
        return lets_through(rule) && speaks_of(rule, direction, passage.devices);
      });
    };
    const bool answers = any(lets_answers_through);
    if (knows("iifname") && (knows("oifname") || (answers && !passage.inward))) continue;
    found.push_back({table.first, table.second, word(chain, "name"), keeper_of(ruleset, table), answers});
  }
  return found;
}

std::string way_through(const std::vector<Obstacle>& walls, const Passage& passage) {
  Commands commands;
  std::string note;
  for (const Obstacle& wall : walls) {
    switch (wall.keeper) {
      case Obstacle::Keeper::Ufw:
        commands.push_back("ufw route allow in on " + passage.devices + "+");
        if (passage.inward) commands.push_back("ufw route allow out on " + passage.devices + "+");
        break;
      case Obstacle::Keeper::Firewalld:
        add_firewalld(passage, commands);
        break;
      case Obstacle::Keeper::Docker:
        add_docker(wall, passage, commands);
        note = ", each time that Docker has started";
        break;
      default:
        add_nft(wall, passage, commands);
        note = ", and put the same into the file that makes the table, such as /etc/nftables.conf";
    }
  }
  std::string text;
  // ufw's are for two tables at once.
  std::set<std::string> told;
  for (const std::string& command : commands) {
    if (told.insert(command).second) text += (text.empty() ? "run '" : ", '") + command + "'";
  }
  return text + note;
}

}  // namespace umlfarm::hostsetup
