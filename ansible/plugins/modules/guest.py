#!/usr/bin/python
# Copyright (c) 2026 the umlfarm authors
# MIT License (see LICENSE in umlfarm's source)
"""Makes and deletes guests of a farm by its command line."""

DOCUMENTATION = r"""
---
module: guest
short_description: Make or delete a guest of umlfarm
description:
  - Runs C(umlfarm) on the host. A guest that is there is left as it is, whatever its plan.
options:
  name:
    description:
      - The guest's name.
    type: str
    required: true
  state:
    description:
      - V(present) makes it, V(absent) deletes it with its disk.
    type: str
    choices: [present, absent]
    default: present
  plan:
    description:
      - By default the farm's.
    type: str
  image:
    description:
      - By default the farm's.
    type: str
  ssh_keys:
    description:
      - Public keys of who may log in.
    type: list
    elements: str
    default: []
  timeout:
    description:
      - Seconds that it may take until the guest is ready.
    type: int
    default: 120
author:
  - the umlfarm authors
"""

EXAMPLES = r"""
- name: A server for alice
  umlfarm.farm.guest:
    name: alice
    plan: small
    ssh_keys:
      - ssh-ed25519 AAAA alice@example.org
"""

RETURN = r"""
guest:
  description: What the farm says of it.
  returned: O(state=present), not in check mode
  type: dict
"""

import json
import tempfile

from ansible.module_utils.basic import AnsibleModule

NOT_FOUND = 3


def umlfarm(module, *words):
    return module.run_command([module.get_bin_path("umlfarm", required=True), "--json", *words])


def succeed(module, *words):
    code, out, err = umlfarm(module, *words)
    if code:
        module.fail_json(msg=err.strip() or out.strip(), rc=code)
    return out


def find(module, name):
    code, out, err = umlfarm(module, "show", name)
    if code == NOT_FOUND:
        return None
    if code:
        module.fail_json(msg=err.strip() or out.strip(), rc=code)
    return json.loads(out)


def create(module):
    words = ["create", module.params["name"], "--timeout", str(module.params["timeout"])]
    for option in ("plan", "image"):
        if module.params[option]:
            words += ["--" + option, module.params[option]]
    with tempfile.NamedTemporaryFile("w", suffix=".pub") as keys:
        if module.params["ssh_keys"]:
            keys.write("\n".join(module.params["ssh_keys"]) + "\n")
            keys.flush()
            words += ["--ssh-key", keys.name]
        succeed(module, *words)


def main():
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "plan": {"type": "str"},
            "image": {"type": "str"},
            "ssh_keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
            "timeout": {"type": "int", "default": 120},
        },
        supports_check_mode=True,
    )
    name, wanted = module.params["name"], module.params["state"] == "present"
    if module.check_mode and not module.get_bin_path("umlfarm"):
        module.exit_json(changed=wanted, msg="not known before umlfarm is installed")
    is_there = find(module, name)
    changed = wanted != (is_there is not None)
    if changed and not module.check_mode:
        if wanted:
            create(module)
        else:
            succeed(module, "delete", name)
    result = {"changed": changed}
    if wanted and not (changed and module.check_mode):
        result["guest"] = find(module, name)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
