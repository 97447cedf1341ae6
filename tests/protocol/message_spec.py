"""The messages of Jupyter's protocol as data: the fields of each type's content, and what they hold.

Written from the documentation ("Messaging in Jupyter", protocol 5.6). `validate` fails on a missing field, a wrong type, a wrong
value, or a field that the protocol does not know.
"""


class Optional:
    def __init__(self, kind):
        self.kind = kind


class OneOf:
    def __init__(self, *values):
        self.values = values


class ListOf:
    def __init__(self, kind):
        self.kind = kind


class MapOf:
    def __init__(self, kind):
        self.kind = kind


MIMES = MapOf(object)
Number = (int, float)
ERROR = {"ename": str, "evalue": str, "traceback": ListOf(str)}
LANGUAGE = {
    "name": str, "version": str, "mimetype": str, "file_extension": str, "pygments_lexer": Optional(str),
    "codemirror_mode": Optional(object), "nbconvert_exporter": Optional(str),
}

# Replies with status "ok"; the other statuses are below.
CONTENT = {
    "execute_reply": {"status": OneOf("ok"), "execution_count": int, "payload": ListOf(dict), "user_expressions": MapOf(dict)},
    "inspect_reply": {"status": OneOf("ok"), "found": bool, "data": MIMES, "metadata": dict},
    "complete_reply": {"status": OneOf("ok"), "matches": ListOf(str), "cursor_start": int, "cursor_end": int, "metadata": dict},
    "history_reply": {"status": OneOf("ok"), "history": ListOf(list)},
    "is_complete_reply": {"status": OneOf("complete", "incomplete", "invalid", "unknown"), "indent": Optional(str)},
    "connect_reply": {"status": Optional(str), "shell_port": int, "iopub_port": int, "stdin_port": int, "hb_port": int, "control_port": int},
    "comm_info_reply": {"status": OneOf("ok"), "comms": MapOf({"target_name": str})},
    "kernel_info_reply": {
        "status": OneOf("ok"), "protocol_version": str, "implementation": str, "implementation_version": str, "language_info": LANGUAGE,
        "banner": str, "debugger": Optional(bool), "supported_features": Optional(ListOf(str)),
        "help_links": Optional(ListOf({"text": str, "url": str})),
    },
    "shutdown_reply": {"status": OneOf("ok"), "restart": bool},
    "interrupt_reply": {"status": OneOf("ok")},
    "create_subshell_reply": {"status": OneOf("ok"), "subshell_id": str},
    "delete_subshell_reply": {"status": OneOf("ok")},
    "list_subshell_reply": {"status": OneOf("ok"), "subshell_id": ListOf(str)},
    "usage_reply": {
        "status": Optional(str), "hostname": str, "pid": int, "cpu_count": int, "kernel_cpu": Number, "kernel_memory": Number,
        "host_cpu_percent": Optional(Number), "host_virtual_memory": MapOf(Number),
    },
    # The contents of these two are the Debug Adapter Protocol's.
    "debug_reply": {"type": OneOf("response"), "seq": int, "request_seq": int, "success": bool, "command": str, "message": Optional(str), "body": Optional(dict)},
    "debug_event": {"type": OneOf("event"), "seq": int, "event": str, "body": Optional(dict)},
    "stream": {"name": OneOf("stdout", "stderr"), "text": str},
    "display_data": {"data": MIMES, "metadata": dict, "transient": Optional({"display_id": Optional(str)})},
    "update_display_data": {"data": MIMES, "metadata": dict, "transient": {"display_id": str}},
    "execute_input": {"code": str, "execution_count": int},
    "execute_result": {"execution_count": int, "data": MIMES, "metadata": dict, "transient": Optional({"display_id": Optional(str)})},
    "error": ERROR,
    "status": {"execution_state": OneOf("busy", "idle", "starting")},
    "clear_output": {"wait": bool},
    "input_request": {"prompt": str, "password": bool},
    "comm_open": {"comm_id": str, "target_name": str, "target_module": Optional(str), "data": dict},
    "comm_msg": {"comm_id": str, "data": dict},
    "comm_close": {"comm_id": str, "data": dict},
    "iopub_welcome": {"subscription": str},
}
FAILED = {
    "error": {"status": OneOf("error"), **ERROR, "execution_count": Optional(int), "payload": Optional(ListOf(dict)), "user_expressions": Optional(dict)},
    "aborted": {"status": OneOf("aborted"), "execution_count": Optional(int)},
}
HEADER = {"msg_id": str, "username": str, "session": str, "date": object, "msg_type": str, "version": str}


def validate(message, msg_type=None, parent=None):
    """Fails where the message is not as the protocol says."""
    kind = message["header"]["msg_type"]
    if msg_type:
        assert kind == msg_type, f"expected {msg_type}, received {kind}"
    check(message["header"], HEADER, f"{kind} header")
    assert message["header"]["version"].startswith("5."), message["header"]["version"]
    assert isinstance(message["metadata"], dict)
    if parent:
        assert message["parent_header"]["msg_id"] == parent, f"{kind} answers another message"
    status = message["content"].get("status")
    content = FAILED[status] if kind.endswith("_reply") and kind != "is_complete_reply" and status in FAILED else CONTENT[kind]
    check(message["content"], content, kind)
    for mime, data in message["content"].get("data", {}).items() if kind in ("display_data", "update_display_data", "execute_result") else []:
        assert mime.endswith("json") or "+json" in mime or isinstance(data, str), f"{mime} should be a string, received {type(data)}"


def check(value, kind, where):
    if isinstance(kind, dict):
        assert isinstance(value, dict), f"{where} should be an object, received {value!r}"
        unknown = set(value) - set(kind)
        assert not unknown, f"{where} has fields that the protocol does not know: {sorted(unknown)}"
        for name, inner in kind.items():
            if name in value:
                check(value[name], inner.kind if isinstance(inner, Optional) else inner, f"{where}.{name}")
            else:
                assert isinstance(inner, Optional), f"{where} lacks {name}"
    elif isinstance(kind, OneOf):
        assert value in kind.values, f"{where} should be one of {kind.values}, received {value!r}"
    elif isinstance(kind, ListOf):
        assert isinstance(value, list), f"{where} should be a list, received {value!r}"
        for item in value:
            check(item, kind.kind, f"{where}[]")
    elif isinstance(kind, MapOf):
        assert isinstance(value, dict), f"{where} should be an object, received {value!r}"
        for name, item in value.items():
            check(item, kind.kind, f"{where}[{name}]")
    else:
        assert isinstance(value, kind) and not (kind is int and isinstance(value, bool)), f"{where} should be {kind}, received {value!r}"
