"""Function definitions and invocations, positional and named (DMN 1.5 §10.3.2.12, §10.3.2.13.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.feel import ast, types
from engine.feel.builtins.registry import BUILTINS, Builtin, Overload
from engine.feel.compile.core import compile_node, compiles, constant, report
from engine.feel.ops import chinese_kind, kind_of
from engine.feel.runtime import DEFAULT_ENVIRONMENT, Code, FeelNull, Frame, Run, demand_arguments
from engine.feel.scope import Scope, compile_name, find, is_bound
from engine.feel.values import FeelFunction, to_feel

_FOLDED = frozenset({"date", "time", "date and time", "duration"})  # built-ins of a literal string become literals


@compiles(ast.FunctionNode)
def _function(node: ast.FunctionNode, scope: Scope) -> Code:
    names = tuple(name for name, _ in node.parameters)
    declared = tuple(kind for _, kind in node.parameters)
    wanted = tuple(None if kind is None else types.from_node(kind) for kind in declared)
    body = compile_node(node.body, Scope(scope, set(names)))

    def define(frame: Any) -> FeelFunction:
        def call(run: Run, args: tuple[Any, ...]) -> Any:
            demand_arguments(args, len(names))
            checked = [fit(value, kind, run) for value, kind in zip(args, wanted, strict=True)]
            return body(Frame(dict(zip(names, checked, strict=True)), frame, run))

        return FeelFunction("", names, call, declared)

    return define


def fit(value: Any, wanted: types.Type | None, run: Run) -> Any:
    """A value for a declared type, with the implicit list conversions. Raises FeelNull if it does not fit."""
    if wanted is None or value is None or types.is_instance(value, wanted, run):
        return value
    if wanted.name == "list" and type(value) is not tuple and types.is_instance((value,), wanted, run):
        return (value,)
    if type(value) is tuple and len(value) == 1 and types.is_instance(value[0], wanted, run):
        return value[0]
    raise FeelNull(
        f"参数需要 {wanted}，得到{chinese_kind(kind_of(value))}", f"argument must be {wanted}, got {kind_of(value)}", "type_mismatch"
    )


def invoke(function: FeelFunction, run: Run, args: tuple[Any, ...]) -> Any:
    """Call a function value with its depth counted. Raises FeelNull as the function does, LimitExceeded beyond the depth."""
    run.enter()
    try:
        return function.call(run, args)
    finally:
        run.depth -= 1


def builtin_function(known: Builtin) -> FeelFunction:
    """A built-in as function value, for `sort(list, before)` and the like."""

    def call(run: Run, args: tuple[Any, ...]) -> Any:
        return apply_overloads([o for o in known.overloads if o.accepts_count(len(args))], run, list(args), known.name)

    first = known.overloads[0]
    return FeelFunction(known.name, tuple(parameter.name for parameter in first.parameters), call)


def _announced(name: str, scope: Scope) -> bool:
    """True if the caller announced a variable of that name: a function in it wins over the built-in."""
    while scope.parent is not None:
        scope = scope.parent
    return name in scope.names


def _local(name: str, scope: Scope) -> bool:
    """True if a parameter, iterator or context entry has that name: it hides the built-in."""
    return find(scope, name)[1] is not None


def function_reference(node: ast.Name, scope: Scope) -> Code | None:
    """A name that can only mean a function: a built-in that no variable hides, else None. A variable still wins at run time."""
    known = BUILTINS.get(node.name)
    if known is None or _local(node.name, scope):
        return None
    value = builtin_function(known)
    variable = compile_name(node.name, node.pos, scope)
    name = node.name

    def read(frame: Any) -> Any:
        return variable(frame) if is_bound(scope, name, frame) else value

    return read


@compiles(ast.Call)
def _call(node: ast.Call, scope: Scope) -> Code:
    if isinstance(node.function, ast.Name):
        name = node.function.name
        if name in BUILTINS and not _local(name, scope):
            return _known_call(name, node, scope)
        if not _local(name, scope):
            return _named_call(name, node, scope)
    return _value_call(node, scope)


def _known_call(name: str, node: ast.Call, scope: Scope) -> Code:
    """A built-in, unless the caller's variable of that name turns out to be a function (a decision model's own, say)."""
    special = _SPECIAL[name](node, scope) if name in _SPECIAL and node.names is None else None
    own = special or _builtin_call(BUILTINS[name], node, scope)
    if not _announced(name, scope):
        return own
    variable, theirs = compile_name(name, node.pos, scope), _value_call(node, scope)

    def call(frame: Any) -> Any:
        hidden = is_bound(scope, name, frame) and type(variable(frame)) is FeelFunction
        return theirs(frame) if hidden else own(frame)

    return call


def _builtin_call(known: Builtin, node: ast.Call, scope: Scope) -> Code:
    args = [compile_node(arg, scope) for arg in node.args]
    if node.names is not None:
        return _named_builtin(known, node, args)
    fitting = [overload for overload in known.overloads if overload.accepts_count(len(args))]
    pos, name = node.function.pos, known.name
    if len(args) == 1 and len(fitting) > 1:
        return _folded(_dispatched(fitting, args[0], name, pos), name, node)
    if len(fitting) == 1:
        return _single(fitting[0], args, name, pos)

    def call(frame: Any) -> Any:
        run: Run = frame.run
        run.tick()
        try:
            return apply_overloads(fitting, run, [arg(frame) for arg in args], name)
        except FeelNull as problem:
            report(_named(problem, name), run, pos)
            return None

    return _folded(call, known.name, node)


def _single(overload: Overload, args: list[Code], name: str, pos: int) -> Code:
    function, convert = overload.function, overload.arguments
    unchecked = all(parameter.accepts_anything for parameter in overload.parameters)

    def call(frame: Any) -> Any:
        run: Run = frame.run
        run.ticks -= 1
        if run.ticks <= 0:
            run.tick(0)
        values = [arg(frame) for arg in args]
        try:
            return function(run, *(values if unchecked else convert(run, values)))
        except FeelNull as problem:
            report(_named(problem, name), run, pos)
            return None

    return call


def _dispatched(fitting: list[Overload], arg: Code, name: str, pos: int) -> Code:
    """One argument and several overloads (conversions, mostly): the argument's kind finds the overload."""
    by_kind: dict[str, Callable[..., Any]] = {}
    for overload in reversed(fitting):
        by_kind.update(dict.fromkeys(overload.parameters[0].kinds, overload.function))

    def call(frame: Any) -> Any:
        run: Run = frame.run
        run.ticks -= 1
        if run.ticks <= 0:
            run.tick(0)
        value = arg(frame)
        function = by_kind.get(kind_of(value))
        try:
            return apply_overloads(fitting, run, [value], name) if function is None else function(run, value)
        except FeelNull as problem:
            report(_named(problem, name), run, pos)
            return None

    return call


def _folded(code: Code, name: str, node: ast.Call) -> Code:
    """`date("2024-01-01")` is computed once: the function is pure and its argument a literal."""
    if name not in _FOLDED or not all(isinstance(arg, ast.Literal) for arg in node.args):
        return code
    value = code(Run({}, DEFAULT_ENVIRONMENT, ""))
    return code if value is None else constant(value)


def _named(problem: FeelNull, name: str) -> FeelNull:
    return FeelNull(f"{name}()：{problem.warning_message}", f"{name}(): {problem.message_en}", problem.code)


def apply_overloads(fitting: list[Overload], run: Run, values: list[Any], name: str) -> Any:
    """The first overload whose parameter types fit. Raises FeelNull if none does."""
    failure: FeelNull | None = None
    for overload in fitting:
        try:
            arguments = overload.arguments(run, values)
        except FeelNull as problem:
            failure = failure or problem
            continue
        return overload.function(run, *arguments)
    raise failure or FeelNull("参数个数不对", f"wrong number of arguments for {name}", "wrong_arguments")


def _named_builtin(known: Builtin, node: ast.Call, args: list[Code]) -> Code:
    names, pos = node.names or (), node.function.pos
    plans = [(overload, plan) for overload in known.overloads if (plan := overload.order(names)) is not None]
    # before(point, range) and before(range, point) differ in nothing but order: the order as written decides.
    plans.sort(key=lambda entry: entry[1] != list(range(len(names))))

    def call(frame: Any) -> Any:
        run: Run = frame.run
        run.tick()
        given = [arg(frame) for arg in args]
        failure = FeelNull("没有这样的参数名", "no such parameter names", "wrong_arguments")
        for overload, plan in plans:
            values = [None if index is None else given[index] for index in plan]
            while values and plan[len(values) - 1] is None:
                values.pop()
            try:
                values = overload.arguments(run, values)
            except FeelNull as problem:
                failure = problem
                continue
            return _guarded(overload.function, run, values, known.name, pos)
        report(_named(failure, known.name), run, pos)
        return None

    return call


def _guarded(function: Callable[..., Any], run: Run, values: list[Any], name: str, pos: int) -> Any:
    try:
        return function(run, *values)
    except FeelNull as problem:
        report(_named(problem, name), run, pos)
        return None


def _named_call(name: str, node: ast.Call, scope: Scope) -> Code:
    """A function that is neither built in nor local: the host's registered functions, then a variable (a BKM, say)."""
    args = [compile_node(arg, scope) for arg in node.args]
    variable = compile_name(name, node.pos, scope)
    pos, names = node.function.pos, node.names

    def call(frame: Any) -> Any:
        run: Run = frame.run
        values = [arg(frame) for arg in args]
        if is_bound(scope, name, frame):
            function = variable(frame)
            if type(function) is FeelFunction:
                return _call_value(function, run, values, names, pos)
        host = run.env.functions.get(name)
        if host is not None:
            run.enter()
            try:
                if names is not None:
                    return to_feel(host(**dict(zip(names, values, strict=True))))
                return to_feel(host(*values))
            except FeelNull as problem:
                report(problem, run, pos)
                return None
            finally:
                run.depth -= 1
        run.warn("unknown_function", f"没有函数“{name}”", f'no function "{name}"', pos)
        return None

    return call


def _value_call(node: ast.Call, scope: Scope) -> Code:
    function = compile_node(node.function, scope)
    args = [compile_node(arg, scope) for arg in node.args]
    pos, names = node.pos, node.names

    def call(frame: Any) -> Any:
        value = function(frame)
        values = [arg(frame) for arg in args]
        if type(value) is not FeelFunction:
            frame.run.warn("not_a_function", "调用的不是函数", "what is called is not a function", pos)
            return None
        return _call_value(value, frame.run, values, names, pos)

    return call


def _call_value(function: FeelFunction, run: Run, values: list[Any], names: tuple[str, ...] | None, pos: int) -> Any:
    if names is not None:
        if set(names) - set(function.parameters) or len(set(names)) != len(names):
            run.warn("wrong_arguments", "没有这样的参数名", "no such parameter names", pos)
            return None
        given = dict(zip(names, values, strict=True))
        values = [given.get(parameter) for parameter in function.parameters]
    try:
        return invoke(function, run, tuple(values))
    except FeelNull as problem:
        report(problem, run, pos)
        return None


def _is_defined(node: ast.Call, scope: Scope) -> Code | None:
    """Camunda: true if the value is not null; a missing variable or entry is no warning here."""
    if len(node.args) != 1:
        return None
    value = compile_node(node.args[0], scope)
    return lambda frame: quiet(value, frame) is not None


def _get_or_else(node: ast.Call, scope: Scope) -> Code | None:
    """Camunda: the value, or the default if it is null."""
    if len(node.args) != 2:
        return None
    value, default = (compile_node(arg, scope) for arg in node.args)

    def choose(frame: Any) -> Any:
        found = quiet(value, frame)
        return default(frame) if found is None else found

    return choose


def quiet(code: Code, frame: Any) -> Any:
    """Evaluate without recording warnings."""
    run: Run = frame.run
    muted, run.muted = run.muted, True
    try:
        return code(frame)
    finally:
        run.muted = muted


_SPECIAL: dict[str, Callable[[ast.Call, Scope], Code | None]] = {"is defined": _is_defined, "get or else": _get_or_else}
