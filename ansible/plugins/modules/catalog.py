#!/usr/bin/python
# Copyright (c) 2026 the umlfarm authors
# MIT License (see LICENSE in umlfarm's source)
"""Has a farm take in kernels and images."""

DOCUMENTATION = r"""
---
module: catalog
short_description: Have a farm of umlfarm take in a kernel or an image
description:
  - Runs C(umlfarm kernel add) or C(umlfarm image add) on the host. What the farm has already changes nothing.
  - Skipped in check mode, as what is in the directory is known only once it is taken in.
options:
  kind:
    description:
      - What it is.
    type: str
    choices: [kernel, image]
    required: true
  path:
    description:
      - The directory, with its manifest.
    type: path
    required: true
author:
  - the umlfarm authors
"""

EXAMPLES = r"""
- name: Kernel strict
  umlfarm.farm.catalog:
    kind: kernel
    path: /usr/lib/umlfarm/kernels/strict
"""

RETURN = r"""#"""

import json

from ansible.module_utils.basic import AnsibleModule


def umlfarm(module, *words):
    code, out, err = module.run_command([module.get_bin_path("umlfarm", required=True), "--json", *words])
    if code:
        module.fail_json(msg=err.strip() or out.strip(), rc=code)
    return json.loads(out)


def meaning(entries):
    """What is there, and which of equal names is meant: the newest comes first. When it was added last is not of it."""
    newest = {}
    for entry in entries:
        newest.setdefault(entry["name"], entry["digest"])
    return newest, sorted((entry["name"], entry["digest"]) for entry in entries)


def main():
    module = AnsibleModule(
        argument_spec={
            "kind": {"type": "str", "choices": ["kernel", "image"], "required": True},
            "path": {"type": "path", "required": True},
        },
        supports_check_mode=True,
    )
    if module.check_mode:
        module.exit_json(changed=False, skipped=True, msg="not known before it is taken in")
    kind = module.params["kind"]
    before = meaning(umlfarm(module, kind, "list")[kind + "s"])
    umlfarm(module, kind, "add", module.params["path"])
    module.exit_json(changed=meaning(umlfarm(module, kind, "list")[kind + "s"]) != before)


if __name__ == "__main__":
    main()
