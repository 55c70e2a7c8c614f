"""The language of mappings: every form of a rule, on arrays in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dlspec
from dlspec.diagnostics import Diagnostic, SpecError

SPEC = """
block Layer(width) {
  input x: [N, D]
  output x + (x -> LayerNorm -> Linear(width) -> relu -> Linear(D))
}

model Net(width = 6, depth = 3, eps = 1e-5) {
  input x: f32[N, 4]
  x = x -> Layer(width) * depth -> LayerNorm(eps = eps)
  output y = x -> Linear(2, bias = false)
}
"""
MODEL = dlspec.loads(SPEC).model()
RULES = {"layers.{i}.{part}": "h.{i}.{part}", "norm": "ln_f", "linear": "head"}


def named(rename: dict[str, str] | None = None) -> dict[str, np.ndarray]:
    """The model's weights, drawn, under other names: beginnings that are replaced."""
    found = MODEL.weights(seed=1)
    for old, new in (rename or {"layers.": "h.", "norm.": "ln_f.", "linear.": "head."}).items():
        found = {new + n.removeprefix(old) if n.startswith(old) else n: a for n, a in found.items()}
    return found


def convert(arrays: dict[str, Any], weights: dict[str, Any], **about: Any) -> dict[str, np.ndarray]:
    return MODEL.convert(arrays, {"weights": weights, **about})


def same(found: dict[str, np.ndarray]) -> None:
    """All weights are those drawn, name by name."""
    wanted = MODEL.weights(seed=1)
    assert list(found) == list(wanted)
    for name, array in wanted.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == np.float32


def errors(arrays: dict[str, Any], weights: dict[str, Any], **about: Any) -> list[Diagnostic]:
    with pytest.raises(SpecError) as error:
        convert(arrays, weights, **about)
    return error.value.diagnostics


# --- what a rule can say -------------------------------------------------------------------------------


def test_layers_and_placeholders() -> None:
    same(convert(named(), RULES))


def test_expressions_tables_and_parameters() -> None:
    kinds = {"norm": "ln", "linear1": "up", "linear2": "down"}
    arrays = {}
    for name, array in named().items():
        parts = name.split(".")
        if parts[0] == "h":
            name = f"block{3 - int(parts[1])}.{kinds[parts[2]]}.{parts[3]}"
        arrays[name] = array
    rules = {**RULES, "layers.{i}.{part}": "block{depth - i}.{kind[part]}"}
    same(convert(arrays, rules, tables={"kind": kinds}))


def test_a_rule_whose_table_lacks_the_name_is_for_others() -> None:
    arrays = {
        n.replace(".norm.weight", ".scale").replace(".norm.bias", ".shift"): a for n, a in named().items()
    }
    special = {"layers.{i}.norm.{p}": "h.{i}.{leaf[p]}"}
    same(convert(arrays, {**special, **RULES}, tables={"leaf": {"weight": "scale", "bias": "shift"}}))
    only_one = {"layers.{i}.norm.{p}": "h.{i}.{leaf[p]}"}
    half = {n.replace(".norm.weight", ".scale"): a for n, a in named().items()}
    same(convert(half, {**only_one, **RULES}, tables={"leaf": {"weight": "scale"}}))
    lists = {**RULES, "layers.{i}": "{first[i]}"}
    lists.pop("layers.{i}.{part}")
    same(convert(named(), {**lists, "layers.{i}.{p}": "h.{i}.{p}"}, tables={"first": []}))


def test_lets() -> None:
    """`{k}` and `{letter}` are computed of the placeholders, each of those above."""
    arrays = {
        n.replace("h.0", "h.c").replace("h.1", "h.b").replace("h.2", "h.a"): a for n, a in named().items()
    }
    lets = {"k": "depth - 1 - i", "letter": "letters[k]", "unused": "nothing + 1"}
    rules = {**RULES, "layers.{i}.{part}": "h.{letter}.{part}"}
    same(convert(arrays, rules, let=lets, tables={"letters": "abc"}))


def test_layouts() -> None:
    arrays = {n: a.T if a.ndim == 2 else a for n, a in named().items()}
    turned = {
        "layers.{i}.linear{n}.weight": {"from": "h.{i}.linear{n}.weight", "layout": "i o -> o i"},
        "linear.weight": {"from": "head.weight", "layout": "i o -> o i"},
    }
    same(convert(arrays, {**turned, **RULES}))


def test_a_layout_with_sizes_of_the_model_and_an_order() -> None:
    arrays = named()
    first = arrays["h.0.linear1.weight"]  # 6 rows: 3 of 2, in another order
    arrays["h.0.linear1.weight"] = first.reshape(3, 2, 4)[[2, 0, 1]].reshape(6, 4)
    rule = {"from": "h.0.linear1.weight", "layout": "(g h) i -> (g h) i | g=1,2,0; h={width // 3}"}
    same(convert(arrays, {"layers.0.linear1.weight": rule, **RULES}))


def test_joined_and_stacked() -> None:
    arrays = named()
    whole = arrays.pop("h.1.linear1.weight")
    arrays |= {"q": whole[:1], "k": whole[1:4], "v": whole[4:].T}
    parts = ["q", "k", {"from": "v", "layout": "i o -> o i"}]
    same(convert(arrays, {"layers.1.linear1.weight": {"from": parts, "axis": 0}, **RULES}))
    arrays |= {f"row{i}": row for i, row in enumerate(whole)}
    for name in "qkv":
        del arrays[name]
    stack = {"from": [f"row{i}" for i in range(6)], "stack": 0}
    same(convert(arrays, {"layers.1.linear1.weight": stack, **RULES}))
    turned = {"from": [f"row{i}" for i in range(6)], "stack": 1, "layout": "i o -> o i"}
    same(convert(arrays, {"layers.1.linear1.weight": turned, **RULES}))


def test_joined_layers() -> None:
    """A rule for a layer joins each of its weights."""
    arrays = named()
    for leaf in ("weight", "bias"):
        whole = arrays.pop(f"h.1.linear1.{leaf}")
        arrays |= {f"a.{leaf}": whole[:2], f"b.{leaf}": whole[2:]}
    same(convert(arrays, {"layers.1.linear1": {"from": ["a", "b"], "axis": 0}, **RULES}))


def test_pieces_of_one_tensor() -> None:
    arrays = named()
    weights = [arrays.pop(f"h.{i}.linear1.weight") for i in range(3)]
    arrays["all"] = np.concatenate(weights)
    same(convert(arrays, {"layers.{i}.linear1.weight": {"from": "all", "part": ["{i}", 3]}, **RULES}))
    arrays["all"] = np.concatenate([np.zeros((2, 4), np.float32), *weights])
    bounds = ["{2 + width * i}", "{2 + width * (i + 1)}"]
    same(convert(arrays, {"layers.{i}.linear1.weight": {"from": "all", "slice": bounds}, **RULES}))
    arrays["all"] = np.stack(weights)
    same(convert(arrays, {"layers.{i}.linear1.weight": {"from": "all", "index": "{i}"}, **RULES}))
    arrays["all"] = np.concatenate(weights, axis=1)
    rule = {"from": "all", "part": ["{i}", 3], "axis": 1}
    same(convert(arrays, {"layers.{i}.linear1.weight": rule, **RULES}))


def test_constants_and_initial_values() -> None:
    arrays = named()
    for i in range(3):
        del arrays[f"h.{i}.norm.weight"]  # all ones
    same(convert(arrays, {"layers.{i}.norm.weight": {"value": 1}, **RULES}))
    del arrays["head.weight"]
    mapping = {"weights": {"layers.{i}.norm.weight": {"value": 1}, **RULES, "linear": {"value": "initial"}}}
    same(MODEL.convert(arrays, mapping, seed=1))


def test_prefixes_and_wrappers() -> None:
    some = {("net." + n if n.startswith("h.") else n): a for n, a in named().items()}
    same(convert(some, RULES, prefix="net."))
    same(convert({f"module.{n}": a for n, a in some.items()}, RULES, prefix=["net."]))
    same(convert({f"_orig_mod.{n}": a for n, a in named().items()}, RULES))


def test_older_endings() -> None:
    some = {
        n.replace("norm.weight", "norm.gamma").replace("norm.bias", "norm.beta"): a
        for n, a in named().items()
    }
    same(convert(some, RULES, endings={"norm.gamma": "norm.weight", "norm.beta": "norm.bias"}))
    same(convert(named(), RULES, endings={"norm.gamma": "norm.weight"}))


def test_what_is_no_weight_is_ignored() -> None:
    arrays = {**named(), "h.0.mask": np.ones(3), "bn.num_batches_tracked": np.int64(3)}
    same(convert(arrays, RULES, ignore=["h.*.mask"]))


def test_tied_tensors() -> None:
    arrays = named()
    tied = {"decoder.weight": "head.weight"}
    same(convert({**arrays, "decoder.weight": arrays["head.weight"]}, RULES, tied=tied))
    arrays["decoder.weight"] = arrays.pop("head.weight")
    same(convert(arrays, RULES, tied=tied))
    arrays["head.weight"] = arrays["decoder.weight"] + 1
    (found,) = errors(arrays, RULES, tied=tied)
    assert (found.code, found.message) == (
        "DLS0734", "`decoder.weight` and `head.weight` of `the given weights` differ, but `Net` has them as one"
    )  # fmt: skip


def test_fresh_layers() -> None:
    arrays = named()
    arrays["head.weight"] = np.zeros((1000, 4), np.float32)  # of another number of classes
    same(MODEL.convert(arrays, {"weights": RULES}, seed=1, fresh=["linear"]))
    del arrays["head.weight"]
    same(MODEL.convert(arrays, {"weights": RULES}, seed=1, fresh=["linear"]))
    with pytest.raises(SpecError) as error:
        MODEL.convert(arrays, {"weights": RULES}, fresh=["liner"])
    (found,) = error.value.diagnostics
    assert (found.code, found.hint) == ("DLS0732", "did you mean `linear`?")


def test_scalars() -> None:
    model = dlspec.loads("""
        model Net { input x: f32[N, 4]  scale = Parameter([], init = ones)  output y = x * scale }
    """).model()
    found = model.convert({"gain": np.float64(3)}, {"weights": {"scale": "gain"}})
    assert (found["scale"].shape, found["scale"].dtype) == ((), np.float32)
    assert found["scale"] == 3


def test_keras_conventions() -> None:
    """A rule names layers; their variables and layouts are those of the Keras backend."""
    spec = dlspec.loads("""
        model Net {
          input x: f32[N, 4, 8, 8]
          input words: i64[N, 5]
          y = x -> Conv2d(6, 3) -> BatchNorm -> Conv2d(12, 3, groups = 6, bias = false) -> global_avg_pool
          h = words -> Embedding(9, 3) -> GRU(3)
          output y = y -> Linear(2)
          output z = h -> LayerNorm
        }
    """)
    model = spec.model()
    wanted = model.weights(seed=2)
    w = wanted.__getitem__
    arrays = {
        "c1/kernel": w("conv1.weight").transpose(2, 3, 1, 0), "c1/bias": w("conv1.bias"),
        "bn/gamma": w("norm1.weight"), "bn/beta": w("norm1.bias"),
        "bn/moving_mean": w("norm1.running_mean"), "bn/moving_variance": w("norm1.running_var"),
        "c2/kernel": w("conv2.weight").reshape(6, 2, 3, 3).transpose(2, 3, 0, 1),
        "table/embeddings": w("embedding.weight"),
        "ln/gamma": w("norm2.weight"), "ln/beta": w("norm2.bias"),
        "top/kernel": w("linear.weight").T, "top/bias": w("linear.bias"),
    }  # fmt: skip
    gates = [1, 0, 2]  # Keras has update, reset, new; PyTorch reset, update, new
    for ours, theirs in (("weight_ih", "kernel"), ("weight_hh", "recurrent_kernel")):
        arrays[f"gru/{theirs}"] = w(f"gru.{ours}_l0").reshape(3, 3, 3)[gates].reshape(9, 3).T
    arrays["gru/bias"] = np.stack(
        [w(f"gru.{n}_l0").reshape(3, 3)[gates].reshape(9) for n in ("bias_ih", "bias_hh")]
    )
    rules = {
        "conv{n}": "c{n}", "norm1": "bn", "embedding": "table", "norm2": "ln", "linear": "top", "gru": "gru",
    }  # fmt: skip
    found = model.convert(arrays, {"framework": "keras", "weights": rules})
    for name, array in wanted.items():
        np.testing.assert_array_equal(found[name], array)


def test_without_a_mapping_names_are_the_specs() -> None:
    same(MODEL.convert(MODEL.weights(seed=1)))


# --- what can be wrong with it -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mapping", "message", "hint"),
    [
        ({"weight": {}, "weights": {}}, "a mapping has no `weight`", "did you mean `weights`?"),
        ({}, "a mapping has a table `[weights]`", None),
        ({"weights": {}, "framework": "jax"}, "`framework` is torch or keras, not 'jax'", None),
        ({"weights": [1]}, "`weights` is a table", None),
        ({"weights": {}, "ignore": [1]}, "`ignore` is a list of names", None),
        ({"weights": {"a": {"form": "b"}}}, "the rule of `a` has no `form`", "did you mean `from`?"),
        ({"weights": {"a": 3}}, "`a` is made from a name or a table such as `{ from = ... }`", None),
        ({"weights": {"a": {"value": 1, "axis": 0}}}, "the rule of `a` has either `from` or `value` alone", None),
        ({"weights": {"a": {"value": "zero"}}},
         '`value` of `a` is a number, or "initial" for the spec\'s own', None),
        ({"weights": {"a": {"from": ["b", "c"]}}}, "`a` is made from several tensors, so it says `axis` or `stack`",
         "`axis = 0` puts one after the other, `stack = 0` along a new axis"),
        ({"weights": {"a": {"from": ["b", {"form": "c"}], "axis": 0}}}, "a part of `a` has no `form`",
         "did you mean `from`?"),
        ({"weights": {"a": {"from": "b", "part": [1]}}}, "`part` of `a` is two numbers", None),
        ({"weights": {"a": {"from": "b", "layout": 3}}}, "`layout` of `a` cannot be 3", None),
        ({"weights": {"a{i+1}": "b"}},
         "`{i+1}` is no placeholder: on this side write a name, as in `{i}`", None),
        ({"weights": {"norm": "b{j}"}}, "the rule of `norm`: `{j}`: nothing is called `j` here", None),
        ({"weights": {"norm": "b{1 +}"}}, "the rule of `norm`: `{1 +}`: ", None),
        ({"weights": {"norm": {"from": "b", "layout": "a b -> a"}}},
         "the rule of `norm`: the two sides of the weight layout 'a b -> a' do not name the same axes", None),
        ({"weights": {"norm": {"from": "b", "part": [0, "{eps}"]}}},
         "the rule of `norm`: '{eps}' is no whole number", None),
        ({"weights": {}, "needs": {"epsilon": 1}}, "`Net` has no parameter `epsilon`", "did you mean `eps`?"),
    ],
)  # fmt: skip
def test_mistakes_in_a_mapping(mapping: dict[str, Any], message: str, hint: str | None) -> None:
    with pytest.raises(SpecError) as error:
        MODEL.convert(named(), mapping)
    found = error.value.diagnostics[0]
    assert found.code == "DLS0730"
    assert found.message.startswith(message)
    if hint is not None:
        assert found.hint is not None
        assert found.hint.startswith(hint)


def test_all_mistakes_are_told_at_their_places(tmp_path: Path) -> None:
    path = tmp_path / "net.other.toml"
    path.write_text('[weights]\n"norm" = { form = "x" }\n"linear" = 3\n')
    with pytest.raises(SpecError) as error:
        MODEL.convert(named(), path)
    places = [d.span.source.position(d.span.start)[0] for d in error.value.diagnostics if d.span]
    assert places == [2, 2, 3]


@pytest.mark.parametrize("text", ["[weights", "\xff\xfe", '"a" = '])
def test_a_mapping_that_cannot_be_read(text: str, tmp_path: Path) -> None:
    path = tmp_path / "net.other.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(SpecError) as error:
        MODEL.convert(named(), path)
    assert error.value.diagnostics[0].code == "DLS0730"


def test_mappings_are_found_by_name(tmp_path: Path) -> None:
    spec = tmp_path / "net.dls"
    spec.write_text(SPEC)
    model = dlspec.load(spec).model()
    with pytest.raises(SpecError) as error:
        model.convert(named(), "torchvision")
    assert error.value.diagnostics[0].hint == "write one: `net.{NAME}.toml` beside the spec"
    (tmp_path / "net.torchvision.toml").write_text(
        '[weights]\n"layers.{i}" = "h.{i}"\n"norm" = "ln_f"\n"linear" = "head"\n'
    )
    same(model.convert(named(), "torchvision"))
    same(model.convert(named(), tmp_path / "net.torchvision.toml"))
    with pytest.raises(SpecError) as error:
        model.convert(named(), "torchvison")
    (found,) = error.value.diagnostics
    assert (found.code, found.hint) == ("DLS0731", "did you mean `torchvision`?")
    (tmp_path / "mine.dls").write_text(
        'import "net.dls"\nblock Other { input x: f32[N, 4] output y = x -> Linear(2) }'
    )
    with pytest.raises(SpecError, match="no mapping `torchvision`: the spec is no file"):
        MODEL.convert(named(), "torchvision")


def test_weights_that_no_rule_is_for() -> None:
    (found,) = errors(named(), {"layers.{i}": "h.{i}", "nrom": "ln_f"})
    assert found.code == "DLS0732"
    assert found.message == (
        "`the mapping` does not say where weights of `Net` come from: norm.weight, norm.bias, linear.weight"
    )


def test_a_mapping_for_another_model() -> None:
    (found,) = errors(named(), RULES, models=["Other"])
    assert (found.code, found.message) == ("DLS0732", "`the mapping` is for `Other`, not for `Net`")


def test_parameters_that_a_mapping_needs() -> None:
    same(convert(named(), RULES, needs={"eps": 1e-5, "depth": 3}))
    (found,) = errors(named(), RULES, needs={"eps": 1e-3, "depth": 3})
    assert (found.code, found.hint) == ("DLS0735", "give `--set Net.eps=0.001`")


def test_missing_and_left_over_tensors_are_told_together() -> None:
    arrays = named()
    arrays["h.0.nrom.weight"] = arrays.pop("h.0.norm.weight")
    missing, left = errors(arrays, RULES)
    assert {missing.code, left.code} == {"DLS0733"}
    assert missing.message == (
        "`the given weights` lacks tensors that `Net` needs: "
        "`h.0.norm.weight` for `layers.0.norm.weight` (is it `h.0.nrom.weight`?)"
    )
    assert left.message == (
        "`the given weights` has tensors that nothing in `Net` is made of: `h.0.nrom.weight`"
    )


def test_another_number_of_layers() -> None:
    arrays = {**named(), **{f"h.3.{n[4:]}": a for n, a in named().items() if n.startswith("h.0.")}}
    (left,) = errors(arrays, RULES)
    assert left.message.endswith("`h.3.norm.weight`, `h.3.norm.bias`, `h.3.linear1.weight`, `h.3.linear1.bias`, "
                                 "`h.3.linear2.weight`, `h.3.linear2.bias`")  # fmt: skip
    (missing,) = errors({n: a for n, a in named().items() if not n.startswith("h.2.")}, RULES)
    assert missing.hint == "is it the same model, of the same size? `--set` gives the spec other numbers"


def test_foreign_names_without_a_mapping() -> None:
    with pytest.raises(SpecError) as error:
        MODEL.convert(named())
    assert (
        error.value.diagnostics[-1].hint
        == "its names are not the spec's: say whose they are with `--mapping`"
    )


def test_shapes_and_types_that_do_not_fit() -> None:
    arrays = named()
    arrays["h.0.linear1.weight"] = arrays["h.0.linear1.weight"].T
    arrays["ln_f.bias"] = np.zeros(4, np.int8)
    (found,) = errors(arrays, RULES)
    assert found.code == "DLS0734"
    assert found.message == (
        "tensors of `the given weights` do not fit `Net`: `ln_f.bias` holds i8, no floating-point numbers; "
        "`layers.0.linear1.weight` is [6, 4], not [4, 6] as made of `h.0.linear1.weight` [4, 6]"
    )


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (
            {"from": "ln_f.weight", "layout": "a b -> b a"},
            "an array of shape (4,) has not the 2 axes of a b -> b a",
        ),
        ({"from": "ln_f.weight", "part": [0, 3]}, "an axis of 4 has not 3 equal parts"),
        ({"from": "ln_f.weight", "slice": [2, 6]}, "an axis of 4 does not reach to 6"),
        ({"from": "ln_f.weight", "slice": [0, 1], "axis": 1}, "a tensor of shape [4] has no axis 1"),
        ({"from": "ln_f.weight", "index": 4}, "there is no number 4 in a tensor of shape [4]"),
        (
            {"from": ["ln_f.weight", "h.0.linear1.weight"], "axis": 0},
            "shapes [4], [6, 4] cannot be joined at axis 0",
        ),
        ({"from": ["ln_f.weight", "ln_f.weight"], "axis": 1}, "shapes [4], [4] cannot be joined at axis 1"),
    ],
)
def test_recipes_that_do_not_work_out(rule: dict[str, Any], message: str) -> None:
    (found,) = errors(named(), {"norm.weight": rule, **RULES})
    assert found.code == "DLS0734"
    assert message in found.message
