// What the users of netlink in this folder share. In the network namespace of the calling thread.
#pragma once

#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "provisioner/base/result.h"

namespace umlfarm::guest {

using NetlinkSocket = std::unique_ptr<nl_sock, void (*)(nl_sock*)>;
using Message = std::unique_ptr<nl_msg, void (*)(nl_msg*)>;

Result<NetlinkSocket> open_netlink();
Error netlink_error(const std::string& what, int code);
// Sends and waits for the kernel's verdict.
Status send(nl_sock* socket, Message message, const std::string& what);

Result<int> index_of(const std::string& name);
Message link_message(int flags, const ifinfomsg& info, int type = RTM_NEWLINK);
// A device without settings of its own, such as "ifb". Idempotent.
Status make_link(nl_sock* socket, const std::string& name, const char* kind);
Status bring_link_up(nl_sock* socket, const std::string& name);
// Idempotent.
Status remove_link(nl_sock* socket, const std::string& name);
// Devices whose names begin so.
Result<std::vector<std::string>> links_named(std::string_view prefix);

}  // namespace umlfarm::guest
