// The client's side of a WebSocket. Private to this folder.
#pragma once

#include "provisioner/api/client.h"

namespace umlfarm::api {

Result<std::unique_ptr<ClientChannel>> open_client_channel(const std::string& socket,
                                                           const std::string& target);

}  // namespace umlfarm::api
