import shutil

import pytest
import torch
from safetensors.torch import save_file

from course_lib.datasets import MNIST
from course_lib.metrics import class_accuracy, digit_features
from course_lib.networks import DigitClassifier, UNet
from course_lib.pretrained import digit_generator, digit_judge
from course_lib.pretrained.load import FOLDER, digit_statistics, load_weights
from course_lib.pretrained.train_digits import digit_loss, sample_digits
from course_lib.pretrained.train_judge import distorted, halves_distance


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def test_features():
    return digit_features(MNIST("test").first(10_000)[0])


def test_the_judge_reads_994_of_1000_test_digits(test_features):
    guesses = digit_judge().head(test_features).argmax(1)
    assert (guesses == MNIST("test").labels).double().mean() >= 0.994


def test_the_statistics_are_those_of_the_test_set(test_features):
    statistics = digit_statistics()
    features = test_features.double()
    torch.testing.assert_close(statistics.mean, features.mean(0), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(statistics.covariance, features.mT.cov(), rtol=1e-3, atol=1e-4)
    assert statistics.halves == pytest.approx(halves_distance(features, gen(1)), rel=0.25)


@pytest.mark.parametrize("load", [digit_judge, digit_generator])
def test_comes_frozen_and_is_read_once(load):
    state = torch.get_rng_state()
    load.cache_clear()
    network = load()
    assert load() is network
    assert not network.training
    assert not any(weight.requires_grad for weight in network.parameters())
    assert all(weight.dtype == torch.float32 for weight in network.parameters())
    assert torch.equal(torch.get_rng_state(), state)


def test_the_files_are_small():
    assert (FOLDER / "digit_judge.safetensors").stat().st_size < 1e6
    assert (FOLDER / "digits.safetensors").stat().st_size < 4e6


def test_the_judge_has_features_before_its_logits():
    x = MNIST("test").first(4)[0]
    features = digit_judge().features(x)
    assert features.shape == (4, 64)
    assert (features >= 0).all()
    assert torch.equal(digit_judge()(x), digit_judge().head(features))
    with pytest.raises(ValueError, match="expected \\(batch, 1, 28, 28\\)"):
        digit_judge()(torch.zeros(4, 1, 32, 32))


def test_the_generator_writes_the_digits_asked_for():
    y = torch.arange(100) % 10
    digits = sample_digits(digit_generator(), y, 2.0, gen(), n_steps=8)
    assert digits.shape == (100, 1, 28, 28)
    assert class_accuracy(digits, y) >= 0.97


def test_the_loss_starts_at_the_mean_square_of_the_velocity():
    """A new network is 0, so this is E |z - ε|²: 1 from the noise, the mean of z² from MNIST."""
    loss = digit_loss(batch=100)(UNet(), gen())
    z = MNIST().images.double() / 127.5 - 1
    assert loss.item() == pytest.approx(1 + z.square().mean().item(), rel=0.04)
    assert loss.requires_grad


@pytest.mark.parametrize("damage", ["missing", "cut", "text", "other"])
def test_a_damaged_file_is_named_with_what_to_do(tmp_path, damage):
    file = tmp_path / "digit_judge.safetensors"
    if damage == "cut":
        file.write_bytes((FOLDER / file.name).read_bytes()[:-100])
    elif damage == "text":
        file.write_text("<html>not found</html>", encoding="utf-8")
    elif damage == "other":
        save_file({"weight": torch.zeros(2)}, file)
    kind = FileNotFoundError if damage == "missing" else ValueError
    with pytest.raises(kind, match=r"digit_judge\.safetensors (?s:.*)git checkout -- course_lib"):
        load_weights(DigitClassifier(), file)


def test_an_undamaged_copy_loads(tmp_path):
    copy = tmp_path / "digit_judge.safetensors"
    shutil.copy(FOLDER / copy.name, copy)
    load_weights(judge := DigitClassifier(), copy)
    x = MNIST("test").first(3)[0]
    torch.testing.assert_close(judge(x), digit_judge()(x))


def test_distorted_digits_are_still_digits():
    x, y = MNIST("test").first(300)
    moved = distorted(x, gen())
    assert moved.shape == x.shape
    assert moved.min() >= -1
    assert moved.max() <= 1 + 1e-6
    assert not torch.allclose(moved, x, atol=0.5)
    assert class_accuracy(moved, y) >= 0.97
