#include "hostsetup/record.h"

#include <algorithm>
#include <boost/json.hpp>

#include "provisioner/base/atomic_file.h"
#include "provisioner/base/posix.h"

namespace umlfarm::hostsetup {
namespace {

namespace json = boost::json;

std::string record_path(const Machine& machine) { return machine.at(kRecordDirectory) + "/record.json"; }

json::value to_json(const Standing& standing) { return standing ? json::value(*standing) : json::value(); }

Standing standing_of(const json::value& value) {
  return value.is_null() ? Standing() : Standing(std::string(value.as_string()));
}

Result<Entry> entry_of(const json::value& value) {
  UMLFARM_ASSIGN(const Sort sort, sort_from_name(value.at("sort").as_string()));
  std::optional<Standing> earlier;
  if (const json::value* const known = value.as_object().if_contains("earlier"))
    earlier = standing_of(*known);
  return Entry{{sort, std::string(value.at("name").as_string())},
               standing_of(value.at("before")),
               standing_of(value.at("after")),
               earlier};
}

Result<Record> parse(const std::string& text) {
  try {
    Record record;
    const json::value document = json::parse(text);
    for (const json::value& value : document.as_array()) {
      UMLFARM_ASSIGN(Entry entry, entry_of(value));
      record.push_back(std::move(entry));
    }
    return record;
  } catch (const std::exception& fault) {
    return Error(Kind::Invalid, fault.what());
  }
}

}  // namespace

Result<Record> load_record(const Machine& machine) {
  const std::string path = record_path(machine);
  const auto text = posix::read_file(path);
  if (!text && text.error().kind() == Kind::NotFound) return Record();
  if (!text) return Error(text.error()).context("what was on this machine before (only root may know)");
  auto record = parse(*text);
  if (!record)
    return std::move(record).error().context(path + " says what was on this machine before, and is damaged");
  return record;
}

Status save_record(const Machine& machine, const Record& record) {
  const std::string directory = machine.at(kRecordDirectory);
  if (record.empty()) return posix::remove_tree(directory);
  json::array entries;
  for (const Entry& entry : record) {
    json::object object{{"sort", sort_name(entry.place.sort)},
                        {"name", entry.place.name},
                        {"before", to_json(entry.before)},
                        {"after", to_json(entry.after)}};
    if (entry.earlier) object["earlier"] = to_json(*entry.earlier);
    entries.push_back(std::move(object));
  }
  UMLFARM_TRY(posix::make_directories(directory, 0700));
  return write_file_atomically(record_path(machine), json::serialize(entries) + "\n", 0600);
}

const Entry* find_entry(const Record& record, const Place& place) {
  const auto found =
      std::find_if(record.begin(), record.end(), [&](const Entry& entry) { return entry.place == place; });
  return found == record.end() ? nullptr : &*found;
}

Record noted(Record record, const Place& place, const Standing& is, const Standing& wanted) {
  const auto found =
      std::find_if(record.begin(), record.end(), [&](const Entry& entry) { return entry.place == place; });
  if (found == record.end()) {
    record.push_back({place, is, wanted});
    return record;
  }
  if (!found->is_ours(is)) found->before = is;
  if (wanted != found->after) found->earlier = found->after;
  found->after = wanted;
  return record;
}

Record without(Record record, const Place& place) {
  std::erase_if(record, [&](const Entry& entry) { return entry.place == place; });
  return record;
}

}  // namespace umlfarm::hostsetup
