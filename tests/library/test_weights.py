"""Weights that go to a file and come back; files that are no such file are refused in words."""

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from course_lib.networks.weights import load_weights, read_weights, save_weights


def network(seed=0, width=3):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(2, width), nn.BatchNorm1d(width), nn.Linear(width, 1))


@pytest.fixture
def file(tmp_path):
    return tmp_path / "some.safetensors"


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_weights_come_back_in_the_models_own_dtype(file, dtype):
    model, other = network().to(dtype), network(1).to(dtype)
    save_weights(model, file, {"steps": "7"})
    load_weights(other, file)
    assert other[0].weight.dtype == dtype
    for name, weight in model.state_dict().items():
        torch.testing.assert_close(other.state_dict()[name], weight.float().to(weight.dtype))
    assert {w.dtype for w in read_weights(file).values()} == {torch.float32, torch.int64}
    with safe_open(file, "pt") as stored:
        assert stored.metadata() == {"steps": "7"}


def test_weights_of_any_layout_and_weights_that_are_shared(file):
    model = nn.Sequential(nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 3)).to(
        memory_format=torch.channels_last
    )
    model[1].weight = model[0].weight
    save_weights(model, str(file))
    assert torch.equal(read_weights(file)["1.weight"], model[0].weight)


def test_half_precision_is_read(file):
    save_file({name: w.half() for name, w in nn.Linear(2, 2).state_dict().items()}, file)
    model = nn.Linear(2, 2)
    load_weights(model, file)
    assert model.weight.dtype == torch.float32


def test_only_safetensors_and_finite_weights_are_written(file, tmp_path):
    with pytest.raises(ValueError, match=r"'weights.pt'; expected .* \.safetensors"):
        save_weights(network(), "weights.pt")
    model = network()
    with torch.no_grad():
        model[2].bias.fill_(torch.nan)
    with pytest.raises(ValueError, match=r"2\.bias is NaN"):
        save_weights(model, file)
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_missing_damaged_or_a_pickle(file):
    with pytest.raises(
        FileNotFoundError, match=rf"no file some.safetensors in .*{file.parent.name}"
    ):
        load_weights(network(), file)
    for zipped in (True, False):
        torch.save(network().state_dict(), file, _use_new_zipfile_serialization=zipped)
        with pytest.raises(ValueError, match="is a pickle"):
            load_weights(network(), file)
    save_weights(network(), file)
    for content, words in (
        (file.read_bytes()[:-9], "damaged"),
        (b"weights", "damaged"),
        (b"", "empty"),
    ):
        file.write_bytes(content)
        with pytest.raises(ValueError, match=words):
            load_weights(network(), file)
    save_file({"a": torch.tensor([1.0, torch.inf])}, file)
    with pytest.raises(ValueError, match="weight a is NaN or infinite"):
        read_weights(file)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (network(width=4), r"its 0\.weight has shape \(4, 2\), expected \(3, 2\)"),
        (network()[:2], r"it has no weight 2\.weight"),
        (nn.Sequential(*network(), nn.Linear(1, 1)), r"Sequential, which has no weight 3\.bias"),
    ],
)
def test_the_first_weight_that_does_not_fit_is_named(file, other, words):
    save_weights(other, file)
    with pytest.raises(ValueError, match=words):
        load_weights(network(), file)
