import hashlib

import pytest
import torch

from course_lib.datasets import MNIST
from course_lib.datasets import mnist as module
from course_lib.datasets.mnist import _FILE, _SHA256, _read, to_floats


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("split", "n", "ones"), [("train", 60_000, 6742), ("test", 10_000, 1135)])
def test_holds_the_whole_of_mnist(split, n, ones):
    digits = MNIST(split)
    assert len(digits) == n
    assert digits.images.shape == (n, 1, 28, 28)
    assert digits.images.dtype == torch.uint8
    assert digits.labels.shape == (n,)
    assert digits.labels.dtype == torch.int64
    assert (digits.labels == 1).sum() == ones
    assert digits.labels.unique().tolist() == list(range(10))


def test_is_the_published_data():
    """The idx file of the test images has a published MD5: its header, then these bytes."""
    header = b"".join(k.to_bytes(4, "big") for k in (2051, 10_000, 28, 28))
    images = MNIST("test").images.numpy().tobytes()
    md5 = hashlib.md5(header + images, usedforsecurity=False).hexdigest()
    assert md5 == "2646ac647ad5339dbf082846283269ea"


def test_is_read_once():
    assert MNIST().images.data_ptr() == MNIST().images.data_ptr()


def test_samples_are_digits_of_the_set_with_their_labels():
    digits = MNIST("test")
    z, y = digits.sample(50, gen())
    assert z.shape == (50, 1, 28, 28)
    assert z.dtype == torch.float32
    assert y.shape == (50,)
    assert y.dtype == torch.int64
    assert z.min() == -1
    assert z.max() == 1
    rows = {
        image.numpy().tobytes(): int(k)
        for image, k in zip(digits.images, digits.labels, strict=True)
    }
    for image, k in zip(z, y, strict=True):
        grey = ((image + 1) * 127.5).round().to(torch.uint8)
        assert rows[grey.numpy().tobytes()] == k


def test_the_generator_decides():
    digits = MNIST()
    first, second, third = (digits.sample(20, gen(seed)) for seed in (1, 1, 2))
    assert torch.equal(first[0], second[0])
    assert not torch.equal(first[0], third[0])
    state = torch.get_rng_state()
    digits.sample(3, gen())
    assert torch.equal(state, torch.get_rng_state())


def test_samples_have_the_labels_asked_for():
    y = torch.arange(300, dtype=torch.int32) % 10
    z, labels = MNIST("test").sample(300, gen(), y=y)
    assert torch.equal(labels, y.long())
    ones, zeros = z[y == 1], z[y == 0]
    assert ones.mean() < zeros.mean() - 0.1  # a 1 takes less ink
    assert len(ones.flatten(1).unique(dim=0)) > 25  # and 30 of them are hardly ever twice the same


def test_labels_of_a_sample_have_the_shares_of_the_set():
    digits = MNIST()
    _, y = digits.sample(20_000, gen(3))
    shares = torch.bincount(digits.labels) / len(digits)
    counts = torch.bincount(y, minlength=10)
    error = (20_000 * shares * (1 - shares)).sqrt()
    assert ((counts - 20_000 * shares).abs() < 4.5 * error).all()


def test_first_is_the_order_of_the_file():
    digits = MNIST()
    z, y = digits.first(5)
    assert y.tolist() == [5, 0, 4, 1, 9]
    assert torch.equal(z, to_floats(digits.images[:5]))
    y += 1
    assert digits.labels[0] == 5


def test_grey_values_become_numbers_from_minus_one_to_one():
    grey = torch.tensor([0, 51, 255], dtype=torch.uint8)
    torch.testing.assert_close(to_floats(grey), torch.tensor([-1, -0.6, 1]))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda d: MNIST("valid"), "split is 'valid'; expected one of train, test"),
        (lambda d: d.sample(0), "n is 0"),
        (lambda d: d.sample(2, y=torch.tensor([1])), "shape \\(2,\\)"),
        (lambda d: d.sample(1, y=torch.tensor([1.0])), "expected whole numbers"),
        (lambda d: d.sample(1, y=[1]), "y is list"),
        (lambda d: d.sample(2, y=torch.tensor([0, 10])), "from 0 to 10; expected 0 to 9"),
        (lambda d: d.first(0), "n is 0"),
        (lambda d: d.first(10_001), "at most 10000"),
    ],
)
def test_refuses_bad_input(call, words):
    with pytest.raises(ValueError, match=words):
        call(MNIST("test"))


@pytest.mark.parametrize("damage", ["cut", "changed", "empty"])
def test_a_damaged_file_is_named_with_what_to_do(tmp_path, damage):
    content = bytearray(_FILE.read_bytes())
    content[5_000_000] ^= 1
    file = tmp_path / "mnist.npz"
    file.write_bytes({"cut": content[:1000], "changed": content, "empty": b""}[damage])
    with pytest.raises(ValueError, match=r"mnist\.npz is damaged: .* bytes .*git checkout"):
        _read(file)


def test_a_missing_file_is_named_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_FILE", tmp_path / "mnist.npz")
    with pytest.raises(FileNotFoundError, match=r"mnist\.npz is missing; .*git checkout"):
        MNIST()


def test_the_licence_beside_the_file_has_its_checksum():
    licence = _FILE.with_name("mnist-license.md").read_text(encoding="utf-8")
    assert _SHA256 in licence
    assert "CC BY-SA 3.0" in licence
