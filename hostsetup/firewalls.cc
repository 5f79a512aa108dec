#include "hostsetup/firewalls.h"

#include <algorithm>
#include <boost/json.hpp>
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

bool refuses(const json::object& statement) {
  return statement.contains("drop") || statement.contains("reject");
}

bool refuses_all(const json::object& rule) {
  const auto all = statements(rule);
  return !all.empty() && refuses(all.back()) &&
         std::none_of(all.begin(), all.end(),
                      [](const json::object& each) { return each.contains("match"); });
}

// Whether it is about packets that come in ("iifname") or go out ("oifname") by such a device, and no
// refusal.
bool knows(const json::object& rule, const char* direction, const std::string& devices) {
  const auto all = statements(rule);
  if (all.empty() || refuses(all.back())) return false;
  return std::any_of(all.begin(), all.end(), [&](const json::object& each) {
    const json::value* const match = each.if_contains("match");
    const std::string text = match == nullptr ? std::string() : json::serialize(*match);
    return text.find("\"" + std::string(direction) + "\"") != std::string::npos &&
           text.find("\"" + devices) != std::string::npos;
  });
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

}  // namespace

Result<std::vector<Obstacle>> obstacles(const std::string& text, const std::string& devices) {
  UMLFARM_ASSIGN(const Ruleset ruleset, parse(text));
  std::vector<Obstacle> found;
  for (const json::object& chain : ruleset.chains) {
    const Table table = table_of(chain);
    if (table.second.starts_with(kOurTables) || !is_strict(ruleset, chain)) continue;
    const std::set<std::string> chains = reached_from(ruleset, table, word(chain, "name"));
    const auto knows_way = [&](const char* direction) {
      return std::any_of(ruleset.rules.begin(), ruleset.rules.end(), [&](const json::object& rule) {
        return table_of(rule) == table && chains.contains(word(rule, "chain")) &&
               knows(rule, direction, devices);
      });
    };
    if (knows_way("iifname") && knows_way("oifname")) continue;
    found.push_back({table.first, table.second, word(chain, "name")});
  }
  return found;
}

bool has_chain(const std::string& text, const std::string& chain) {
  const auto ruleset = parse(text);
  return ruleset && std::any_of(ruleset->chains.begin(), ruleset->chains.end(),
                                [&](const json::object& each) { return word(each, "name") == chain; });
}

}  // namespace umlfarm::hostsetup
