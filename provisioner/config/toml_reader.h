// Reads a TOML document into plain values. For the loaders of configuration files alone: it brings toml++
// along.
#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "provisioner/base/bit_rate.h"
#include "provisioner/base/byte_size.h"
#include "provisioner/base/result.h"

namespace umlfarm::config {

// Invalid with the name, the line and the fault.
inline Result<toml::table> parse_toml(const std::string& text, const std::string& name) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& fault) {
    return Error(Kind::Invalid, name + ":" + std::to_string(fault.source().begin.line) + ": " +
                                    std::string(fault.description()));
  }
}

// Reads one document, collecting faults instead of stopping at the first.
class Reader {
 public:
  explicit Reader(std::string name) : name_(std::move(name)) {}

  void fault(const toml::source_region& where, const std::string& what) {
    faults_ += "\n  " + name_ + ":" + std::to_string(where.begin.line) + ": " + what;
  }
  const std::string& faults() const { return faults_; }

  void known_keys(const toml::table& table, const std::set<std::string_view>& keys) {
    for (const auto& [key, node] : table) {
      if (!keys.contains(key.str())) fault(node.source(), "unknown key '" + std::string(key.str()) + "'");
    }
  }

  void read(const toml::table& table, std::string_view key, std::string& to) {
    if (const auto* node = expect(table, key, toml::node_type::string, "a string"))
      to = node->ref<std::string>();
  }
  void read(const toml::table& table, std::string_view key, bool& to) {
    if (const auto* node = expect(table, key, toml::node_type::boolean, "true or false"))
      to = node->ref<bool>();
  }
  void read(const toml::table& table, std::string_view key, std::uint32_t& to, std::int64_t least,
            std::int64_t most) {
    const auto* node = expect(table, key, toml::node_type::integer, "a whole number");
    if (node == nullptr) return;
    const std::int64_t value = node->ref<std::int64_t>();
    if (value < least || value > most) {
      return fault(node->source(), std::string(key) + " = " + std::to_string(value) + ": must be " +
                                       std::to_string(least) + " to " + std::to_string(most));
    }
    to = static_cast<std::uint32_t>(value);
  }
  void read(const toml::table& table, std::string_view key, std::uint32_t& to) {
    read(table, key, to, 0, UINT32_MAX);
  }
  // Words of which each stands for a value, and sizes and rates as people write them.
  template <typename T>
  void read_parsed(const toml::table& table, std::string_view key, T& to, const char* wanted,
                   Result<T> (*parse)(std::string_view)) {
    const auto* node = expect(table, key, toml::node_type::string, wanted);
    if (node == nullptr) return;
    if (auto parsed = parse(node->ref<std::string>())) {
      to = *parsed;
    } else {
      fault(node->source(), std::string(key) + ": " + parsed.error().message());
    }
  }
  void read(const toml::table& table, std::string_view key, ByteSize& to) {
    read_parsed(table, key, to, "a size such as \"512M\"", &ByteSize::parse);
  }
  void read(const toml::table& table, std::string_view key, BitRate& to) {
    read_parsed(table, key, to, "a rate such as \"10mbit\"", &BitRate::parse);
  }
  void read(const toml::table& table, std::string_view key, std::vector<std::string>& to) {
    each(table, key, [&](const toml::node& item) {
      if (const auto text = item.value_exact<std::string>()) return to.push_back(*text);
      fault(item.source(), std::string(key) + ": must hold strings");
    });
  }
  void read(const toml::table& table, std::string_view key, std::vector<std::uint32_t>& to) {
    each(table, key, [&](const toml::node& item) {
      const auto number = item.value_exact<std::int64_t>();
      if (number && *number >= 0 && *number < UINT32_MAX)
        return to.push_back(static_cast<std::uint32_t>(*number));
      fault(item.source(), std::string(key) + ": must hold user numbers");
    });
  }

  const toml::table* section(const toml::table& root, std::string_view key) {
    const auto* node = expect(root, key, toml::node_type::table, "a section");
    return node == nullptr ? nullptr : node->as_table();
  }

 private:
  template <typename Take>
  void each(const toml::table& table, std::string_view key, Take take) {
    const auto* node = expect(table, key, toml::node_type::array, "a list");
    if (node == nullptr) return;
    for (const toml::node& item : *node->as_array()) take(item);
  }

  const toml::node* expect(const toml::table& table, std::string_view key, toml::node_type type,
                           const char* wanted) {
    const toml::node* node = table.get(key);
    if (node == nullptr || node->type() == type) return node;
    fault(node->source(), std::string(key) + ": must be " + wanted);
    return nullptr;
  }

  std::string name_;
  std::string faults_;
};

}  // namespace umlfarm::config
