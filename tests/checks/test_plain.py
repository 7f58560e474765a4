import base64
import contextlib
import io
import json
import math
import pickle
import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from course_lib.checks.plain import MAX_BYTES, Array, NotPlain, decode, encode, to_plain

DTYPES = ("float32", "float64", "int64", "int32", "uint8", "bool")
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


def same(a, b):
    if isinstance(a, Array):
        assert isinstance(b, Array)
        assert (a.kind, a.device, a.dtype) == (b.kind, b.device, b.dtype)
        return np.array_equal(a.values, b.values, equal_nan=a.values.dtype.kind == "f")
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return type(a) is type(b) and (a == b or (a != a and b != b))


def there_and_back(value):
    return decode(json.loads(json.dumps(encode(value), allow_nan=False)))


@given(anything)
def test_plain_values_survive_json(value):
    plain = to_plain(value)
    assert same(plain, there_and_back(plain))


@given(
    st.sampled_from(DTYPES).flatmap(
        lambda name: arrays.arrays(name, arrays.array_shapes(min_dims=0, max_dims=4, min_side=0))
    )
)
def test_arrays_survive_json(values):
    for value in (values, torch.tensor(values)):
        plain = to_plain([value])
        assert same(plain, there_and_back(plain))
        assert plain[0].values.shape == values.shape
        assert plain[0].dtype == str(values.dtype)


def test_what_held_the_numbers_is_kept():
    assert to_plain(torch.ones(2)).kind == "tensor"
    assert to_plain(np.ones(2)).kind == "numpy array"
    assert to_plain(torch.ones(2, requires_grad=True)).values.tolist() == [1, 1]
    assert to_plain(torch.nn.Parameter(torch.ones(2))).device == "cpu"
    assert to_plain(torch.ones(2, dtype=torch.bfloat16)).dtype == "float32"
    assert to_plain(np.float64(2.5)) == 2.5
    assert to_plain((1, [2.0], {"a": None})) == [1, [2.0], {"a": None}]
    assert to_plain(np.ones(2, dtype=">f8")).dtype == "float64"


def test_a_copy_is_taken():
    x = torch.zeros(2)
    plain = to_plain(x)
    x += 1
    assert plain.values.tolist() == [0, 0]


def cyclic():
    items = []
    items.append(items)
    return items


@pytest.mark.parametrize(
    "value",
    [
        lambda x: x,
        torch.nn.Linear(1, 1),
        object(),
        {1, 2},
        1j,
        range(3),
        cyclic(),
        torch.ones(2, dtype=torch.complex64),
        torch.eye(2).to_sparse(),
        torch.zeros(1).expand(10**12),
        torch.ones(2, device="meta"),
        np.array([object()]),
        np.array(["a"]),
        np.array([1j]),
        np.datetime64("2020-01-01"),
        np.broadcast_to(0.0, 10**9),
        10**400,
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_not_plain_is_refused(value):
    with pytest.raises(NotPlain):
        to_plain(value)


def as_array(raw):
    return {"array": base64.b64encode(raw).decode(), "kind": "tensor", "device": "cpu"}


def npy(values, **options):
    buffer = io.BytesIO()
    np.save(buffer, values, **options)
    return buffer.getvalue()


def header_only(shape, descr="<f8", write=np.lib.format.write_array_header_1_0):
    buffer = io.BytesIO()
    write(buffer, {"descr": descr, "fortran_order": False, "shape": shape})
    return buffer.getvalue()


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a stranger's pickle ran",))


GOOD = npy(np.arange(6.0))


@pytest.mark.parametrize(
    "data",
    [
        as_array(npy(np.array([Bomb()], dtype=object), allow_pickle=True)),
        as_array(pickle.dumps(Bomb())),
        as_array(npy(np.array(["text"]))),
        as_array(npy(np.array([1j]))),
        as_array(npy(np.zeros(2, dtype=[("a", "f8")]))),
        as_array(npy(np.zeros(2, dtype="M8[s]"))),
        as_array(GOOD[:-1]),
        as_array(GOOD + b"\0" * 8),
        as_array(GOOD[:40]),
        as_array(b""),
        as_array(b"\x93NUMPY\x01\x00\xff\xff{"),
        as_array(header_only((10**15,))),
        as_array(header_only((2**62, 4))),
        as_array(header_only((-1, -8)) + b"\0" * 64),
        as_array(header_only((6,), "|O")),
        as_array(header_only((6,), write=np.lib.format.write_array_header_2_0) + b"\0" * 48),
        {"array": "no base64!", "kind": "tensor", "device": "cpu"},
        {"array": 3, "kind": "tensor", "device": "cpu"},
        {"array": "", "kind": None, "device": "cpu"},
        {"array": "A" * (MAX_BYTES * 4 // 3 + 2**18), "kind": "tensor", "device": "cpu"},
        {"float": "1"},
        {"float": ["nan"]},
        {"dict": [1]},
        {"dict": {}, "more": 1},
        {},
        10**400,
        [[[[[[[[[[1]]]]]]]]]],
        object(),
    ],
    ids=range(28),
)
def test_a_strangers_bytes_are_refused(data):
    with pytest.raises(NotPlain):
        decode(data)


def test_a_header_that_promises_much_allocates_nothing():
    tracemalloc.start()
    with pytest.raises(NotPlain):
        decode(as_array(header_only((2**27,))))  # a gibibyte
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_any_byte_may_be_wrong(place, byte):
    raw = bytearray(GOOD)
    raw[place] = byte
    try:
        value = decode(as_array(bytes(raw)))
    except NotPlain:
        return
    assert value.values.nbytes == 48


@given(anything)
def test_any_json_decodes_or_is_refused(data):
    with contextlib.suppress(NotPlain):
        decode(json.loads(json.dumps(data)))


def test_the_largest_array_passes():
    plain = to_plain(torch.zeros(MAX_BYTES // 8, dtype=torch.float64))
    assert decode(encode(plain)).values.nbytes == MAX_BYTES
    with pytest.raises(NotPlain, match="more than 64 MiB"):
        to_plain(torch.zeros(MAX_BYTES // 8 + 1, dtype=torch.float64))


def test_numbers_that_json_has_no_word_for():
    assert encode(math.inf) == {"float": "inf"}
    assert math.isnan(there_and_back(math.nan))
    assert there_and_back(-math.inf) == -math.inf
