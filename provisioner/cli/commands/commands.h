// One function for each verb; see each file.
#pragma once

#include "provisioner/cli/command.h"

namespace umlfarm::cli {

Command create_command();
Command list_command();
Command show_command();
Command delete_command();
Command start_command();
Command stop_command();
Command restart_command();
Command ssh_command();
Command console_command();
Command logs_command();
Command events_command();
Command mconsole_command();
Command metrics_command();
Command inside_command();
Command suspend_command();
Command unsuspend_command();
Command usage_command();
Command image_list_command();
Command image_build_command();
Command image_add_command();
Command image_verify_command();
Command image_remove_command();
Command kernel_list_command();
Command kernel_add_command();
Command kernel_remove_command();
Command plan_list_command();
Command plan_show_command();
Command status_command();
Command tunnel_command();
Command set_command();
Command quota_command();
Command top_command();
Command tenant_list_command();
Command tenant_show_command();
Command tenant_create_command();
Command tenant_set_command();
Command tenant_delete_command();
Command host_show_command();

// A name that goes into an address: throws for one that no thing can have.
std::string name_argument(const char* what, const std::string& name);
// Prints the document itself for --json, else the text.
void print(const Context& context, const boost::json::value& document, const std::string& text);

}  // namespace umlfarm::cli
