"""What Azure's host and its Python worker say to each other, as plain Python.

In the cloud these are protobuf messages, which come with the host. The worker's code is given this module in their
place: it has every name that the worker asks for, with the same fields. A field that a message does not have is an
error here as it is there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar


class TypedData:
    """One value, of one of the kinds that host and worker exchange."""

    KINDS: ClassVar = ("string", "json", "bytes", "int", "double", "http")

    def __init__(self, **value: Any) -> None:
        [(self.kind, self.value)] = value.items()
        if self.kind not in self.KINDS:
            raise TypeError(f"there is no value of kind {self.kind}")

    def __getattr__(self, name: str) -> Any:
        if name == self.kind:
            return self.value
        raise AttributeError(name)

    def WhichOneof(self, _group: str) -> str:  # noqa: N802  # protobuf's name
        """The kind of the value."""
        return str(self.kind)


@dataclass
class RpcHttp:
    """A request or a response."""

    method: str = ""
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: TypedData | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    status_code: str = ""
    cookies: Any = None
    enable_content_negotiation: bool = False


@dataclass
class ParameterBinding:
    """A value for a parameter of a function."""

    name: str
    data: TypedData

    def WhichOneof(self, _group: str) -> str:  # noqa: N802  # protobuf's name
        """Values never travel through shared memory here."""
        return "data"


@dataclass
class BindingInfo:
    """What one parameter of a function is bound to."""

    type: str
    data_type: int | None
    direction: int

    undefined: ClassVar = 0
    out: ClassVar = 1
    inout: ClassVar = 2


@dataclass
class RpcFunctionMetadata:
    """A function as the worker describes it to the host."""

    name: str
    function_id: str
    managed_dependency_enabled: bool
    directory: str
    script_file: str
    entry_point: str
    is_proxy: bool
    language: str
    bindings: Mapping[str, BindingInfo]
    raw_bindings: list[str]
    retry_options: object
    properties: Mapping[str, str]


@dataclass
class RpcException:
    """An error of a function."""

    message: str
    stack_trace: str


@dataclass
class StatusResult:
    """How a request to the worker ended."""

    status: str
    exception: RpcException | None = None

    Success: ClassVar = "success"
    Failure: ClassVar = "failure"


@dataclass
class WorkerMetadata:
    """Who the worker is."""

    runtime_name: str
    runtime_version: str
    worker_version: str
    worker_bitness: str
    custom_properties: Mapping[str, str]


@dataclass
class WorkerInitResponse:
    """The worker has started, and read the app."""

    capabilities: Mapping[str, str]
    worker_metadata: WorkerMetadata
    result: StatusResult


@dataclass
class FunctionMetadataResponse:
    """The app's functions."""

    use_default_metadata_indexing: bool
    function_metadata_results: list[RpcFunctionMetadata]
    result: StatusResult


@dataclass
class FunctionLoadResponse:
    """A function is ready to be invoked."""

    function_id: str
    result: StatusResult


@dataclass
class InvocationResponse:
    """How an invocation ended, and what it returned."""

    invocation_id: str
    result: StatusResult
    return_value: TypedData | None = None
    output_data: list[ParameterBinding] = field(default_factory=list)
