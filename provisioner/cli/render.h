// From the API's documents to what people read. Pure: the time is given.
#pragma once

#include <boost/json/value.hpp>
#include <string>

namespace umlfarm::cli {

std::string render_guests(const boost::json::value& document, std::int64_t now_ms);
std::string render_guest(const boost::json::value& guest, std::int64_t now_ms);
// Images or kernels, as `which` is "images" or "kernels".
std::string render_images(const boost::json::value& document, std::int64_t now_ms);
std::string render_kernels(const boost::json::value& document, std::int64_t now_ms);
std::string render_plans(const boost::json::value& document);
std::string render_plan(const boost::json::value& plan);
// What tenants and users have limits of, as the API calls it.
inline constexpr const char* kResources[] = {"guests", "memory", "disk", "processors"};
std::string render_tenants(const boost::json::value& document);
std::string render_tenant(const boost::json::value& tenant);
// A guest's limits and use.
std::string render_quota(const boost::json::value& usage);
// All guests', with the processor time between two looks.
std::string render_top(const boost::json::value& before, const boost::json::value& now);
std::string render_host(const boost::json::value& document);
std::string render_status(const boost::json::value& document);
// One line, with its newline.
std::string render_event(const boost::json::value& event);

}  // namespace umlfarm::cli
