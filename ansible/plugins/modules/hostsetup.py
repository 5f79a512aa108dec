#!/usr/bin/python
# Copyright (c) 2026 the umlfarm authors
# MIT License (see LICENSE in umlfarm's source)
"""Prepares a host by umlfarm-hostsetup, which knows all of what that means."""

DOCUMENTATION = r"""
---
module: hostsetup
short_description: Prepare a host to carry umlfarm's guests
description:
  - Runs C(umlfarm-hostsetup) on the host. In check mode nothing is changed, and what would be is its plan.
options:
  state:
    description:
      - V(applied) prepares the host, V(undone) takes all of it back.
    type: str
    choices: [applied, undone]
    default: applied
  profile:
    description:
      - Name of the profile; by default as F(/etc/umlfarm/hostsetup.toml) says.
    type: str
  purge:
    description:
      - With O(state=undone), also the farm's state, kernels and images.
    type: bool
    default: false
author:
  - the umlfarm authors
"""

EXAMPLES = r"""
- name: Prepare the host
  umlfarm.farm.hostsetup:
    profile: vps
"""

RETURN = r"""
steps:
  description: What was changed, or in check mode would be, each with sort, name, is, wanted and diff.
  returned: O(state=applied)
  type: list
  elements: dict
by_hand:
  description: Checks that fail and that only a person can mend, each with reason and advice.
  returned: O(state=applied)
  type: list
  elements: dict
failing:
  description: Checks that fail afterwards.
  returned: O(state=applied), not in check mode
  type: list
  elements: dict
"""

import json

from ansible.module_utils.basic import AnsibleModule

TOOL = "umlfarm-hostsetup"
RECORD = "/var/lib/umlfarm-hostsetup/record.json"


def tool(module, *words):
    return module.run_command([module.get_bin_path(TOOL, required=True), *words])


def told(code):
    """Whether the tool came to a verdict on the machine, good or bad."""
    return code in (0, 1, 2)


def answer(module, *words):
    """What the tool says as JSON; verify's verdict is no failure to answer."""
    code, out, err = tool(module, *words, "--json")
    if not told(code):
        module.fail_json(msg=err.strip() or out.strip(), rc=code)
    return json.loads(out)


def advice(checks):
    return "; ".join("%s (%s): %s" % (c["check"], c["reason"], c["advice"]) for c in checks)


def diff_of(steps):
    before = "".join("%s %s\n%s\n" % (s["sort"], s["name"], s["is"] or "") for s in steps)
    after = "".join("%s %s\n%s\n" % (s["sort"], s["name"], s["wanted"] or "") for s in steps)
    return {"before": before, "after": after}


def apply(module, profile):
    if module.check_mode and not module.get_bin_path(TOOL):
        module.exit_json(changed=True, msg="not known before umlfarm-hostsetup is installed")
    plan = answer(module, "plan", *profile)
    steps = plan["steps"]
    result = {"changed": bool(steps), "steps": steps, "by_hand": plan["by_hand"], "diff": diff_of(steps)}
    if module.check_mode:
        module.exit_json(**result)
    code, out, err = tool(module, "apply", *profile)
    if not told(code):
        module.fail_json(msg=err.strip(), stdout=out, rc=code, **result)
    checks = answer(module, "verify", *profile)["checks"]
    result["failing"] = [c for c in checks if c["state"] in ("fails", "weak")]
    must = [c for c in result["failing"] if c["state"] == "fails"]
    if must:
        module.fail_json(msg=advice(must), **result)
    module.exit_json(**result)


def undo(module, purge):
    import os

    changed = os.path.exists(RECORD)
    if module.check_mode or not changed:
        module.exit_json(changed=changed)
    code, out, err = tool(module, "undo", *(["--purge"] if purge else []))
    if code:
        module.fail_json(msg=err.strip(), stdout=out, rc=code)
    module.exit_json(changed=True, stdout=out)


def main():
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["applied", "undone"], "default": "applied"},
            "profile": {"type": "str"},
            "purge": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    if module.params["state"] == "undone":
        undo(module, module.params["purge"])
    apply(module, ["--profile", module.params["profile"]] if module.params["profile"] else [])


if __name__ == "__main__":
    main()
