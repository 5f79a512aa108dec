// What guests have used, as people and spreadsheets read it. Pure.
#pragma once

#include <boost/json/value.hpp>
#include <string>

namespace umlfarm::cli {

// A row for each guest, and one for each tenant's sum.
std::string render_uses(const boost::json::value& document, bool by_hour);
// With a header; the names and figures of the document, as they are.
std::string csv_of_uses(const boost::json::value& document, bool by_hour);

}  // namespace umlfarm::cli
