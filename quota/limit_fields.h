// All limits of a guest by name, once: configuration, requests, records and what people read follow this
// list.
#pragma once

#include <boost/json/object.hpp>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "quota/limits.h"

namespace umlfarm::quota {

using LimitValue = std::variant<ByteSize, unsigned, BitRate, TrafficEnd>;

enum class Change { Live, Restart, Never };

struct LimitField {
  std::string_view name;  // options of commands have '-' in place of '_'
  std::variant<ByteSize Limits::*, unsigned Limits::*, BitRate Limits::*, TrafficEnd Limits::*> member;
  Change change = Change::Live;  // of a guest that runs
  std::string_view zero = {};    // what people read for 0; empty: 0
};

std::span<const LimitField> limit_fields();
const LimitField* find_limit(std::string_view name);

LimitValue value_of(const Limits& limits, const LimitField& field);
// `value` must be of the field's kind.
void set_value(Limits& limits, const LimitField& field, const LimitValue& value);

// Invalid where it is not of the field's kind; what a guest can be given is for check_limits().
Result<LimitValue> parse_limit(const LimitField& field, std::string_view text);
// For people: "cpu weight", "100", "64 MiB", "none".
std::string label_of(const LimitField& field);
std::string text_of(const LimitField& field, const LimitValue& value);

// Bytes, bits a second, numbers and words.
boost::json::object to_json(const Limits& limits);
// Throws where one is missing, or of another kind.
Limits limits_from_json(const boost::json::object& object);

}  // namespace umlfarm::quota
