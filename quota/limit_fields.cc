#include "quota/limit_fields.h"

#include <algorithm>
#include <array>
#include <boost/algorithm/string/replace.hpp>
#include <boost/json.hpp>
#include <charconv>
#include <stdexcept>

namespace umlfarm::quota {
namespace {

constexpr std::string_view kNone = "none";

constexpr std::array kFields{
    LimitField{"memory", &Limits::memory},
    LimitField{"memory_ceiling", &Limits::memory_ceiling, Change::Restart, "as memory"},
    LimitField{"host_memory", &Limits::host_memory, Change::Live, "all"},
    LimitField{"disk", &Limits::disk},
    LimitField{"swap", &Limits::swap, Change::Never, kNone},
    LimitField{"processes", &Limits::processes, Change::Restart},
    LimitField{"processors", &Limits::processors, Change::Restart},
    LimitField{"cpu_weight", &Limits::cpu_weight},
    LimitField{"cpu_percent", &Limits::cpu_percent, Change::Live, kNone},
    LimitField{"read_rate", &Limits::read_rate, Change::Live, kNone},
    LimitField{"write_rate", &Limits::write_rate, Change::Live, kNone},
    LimitField{"read_operations", &Limits::read_operations, Change::Live, kNone},
    LimitField{"write_operations", &Limits::write_operations, Change::Live, kNone},
    LimitField{"rate_in", &Limits::rate_in, Change::Live, kNone},
    LimitField{"rate_out", &Limits::rate_out, Change::Live, kNone},
    LimitField{"network_burst", &Limits::network_burst},
    LimitField{"packets", &Limits::packets, Change::Live, kNone},
    LimitField{"traffic", &Limits::traffic, Change::Live, kNone},
    LimitField{"traffic_end", &Limits::traffic_end},
    LimitField{"throttled_rate", &Limits::throttled_rate},
};

Result<LimitValue> parse_value(ByteSize, std::string_view text) {
  UMLFARM_ASSIGN(const ByteSize size, ByteSize::parse(text));
  return LimitValue(size);
}
Result<LimitValue> parse_value(BitRate, std::string_view text) {
  UMLFARM_ASSIGN(const BitRate rate, BitRate::parse(text));
  return LimitValue(rate);
}
Result<LimitValue> parse_value(unsigned, std::string_view text) {
  unsigned number = 0;
  const char* const last = text.data() + text.size();
  const auto [end, status] = std::from_chars(text.data(), last, number);
  if (status == std::errc() && end == last) return LimitValue(number);
  return Error(Kind::Invalid, "'" + std::string(text) + "' is not a whole number of 0 or more");
}
Result<LimitValue> parse_value(TrafficEnd, std::string_view text) {
  UMLFARM_ASSIGN(const TrafficEnd end, parse_traffic_end(text));
  return LimitValue(end);
}

std::string shown(ByteSize size) { return human_size(size.bytes()); }
std::string shown(BitRate rate) { return rate.str() + "/s"; }
std::string shown(unsigned number) { return std::to_string(number); }
std::string shown(TrafficEnd end) { return std::string(traffic_end_name(end)); }

boost::json::value as_json(ByteSize size) { return size.bytes(); }
boost::json::value as_json(BitRate rate) { return rate.bits(); }
boost::json::value as_json(unsigned number) { return number; }
boost::json::value as_json(TrafficEnd end) { return boost::json::value(traffic_end_name(end)); }

void from_json(const boost::json::value& value, ByteSize& to) {
  to = ByteSize(value.to_number<std::uint64_t>());
}
void from_json(const boost::json::value& value, BitRate& to) {
  to = BitRate(value.to_number<std::uint64_t>());
}
void from_json(const boost::json::value& value, unsigned& to) { to = value.to_number<unsigned>(); }
void from_json(const boost::json::value& value, TrafficEnd& to) {
  auto parsed = parse_traffic_end(std::string_view(value.as_string()));
  if (!parsed) throw std::invalid_argument(parsed.error().message());
  to = *parsed;
}

}  // namespace

std::span<const LimitField> limit_fields() { return kFields; }

const LimitField* find_limit(std::string_view name) {
  const auto* const found = std::find_if(kFields.begin(), kFields.end(),
                                         [&](const LimitField& field) { return field.name == name; });
  return found == kFields.end() ? nullptr : found;
}

LimitValue value_of(const Limits& limits, const LimitField& field) {
  return std::visit([&](auto member) { return LimitValue(limits.*member); }, field.member);
}

void set_value(Limits& limits, const LimitField& field, const LimitValue& value) {
  std::visit(
      [&](auto member) {
        limits.*member = std::get<std::remove_reference_t<decltype(limits.*member)>>(value);
      },
      field.member);
}

Result<LimitValue> parse_limit(const LimitField& field, std::string_view text) {
  return std::visit([&](auto member) { return parse_value(Limits().*member, text); }, field.member);
}

std::string label_of(const LimitField& field) {
  return boost::algorithm::replace_all_copy(std::string(field.name), "_", " ");
}

std::string text_of(const LimitField& field, const LimitValue& value) {
  return std::visit(
      [&](const auto& is) {
        const bool zero = is == std::remove_cvref_t<decltype(is)>{};
        return zero && !field.zero.empty() ? std::string(field.zero) : shown(is);
      },
      value);
}

boost::json::object to_json(const Limits& limits) {
  boost::json::object object;
  for (const LimitField& field : kFields) {
    object[field.name] = std::visit([](const auto& is) { return as_json(is); }, value_of(limits, field));
  }
  return object;
}

Limits limits_from_json(const boost::json::object& object) {
  Limits limits;
  for (const LimitField& field : kFields) {
    std::visit([&](auto member) { from_json(object.at(field.name), limits.*member); }, field.member);
  }
  return limits;
}

}  // namespace umlfarm::quota
