"""FlowTrainer beside what can be worked out otherwise; and training, stopping and going on."""

import math
import threading

import pytest
import torch
from jupyter_client.manager import start_new_kernel
from torch import nn

from course_lib.distributions import Circles, GaussianMixture
from course_lib.metrics import energy_distance
from course_lib.networks import MLP
from course_lib.oracles import Marginal
from course_lib.paths import GaussianPath, Linear
from course_lib.processes import ODE
from course_lib.shapes import expand_time
from course_lib.simulate import rk4_step, simulate, time_grid
from course_lib.widgets import FlowTrainer, cloud, flow_trainer
from course_lib.widgets.answers import Answers
from course_lib.widgets.demo import MOST_MB
from course_lib.widgets.demo.pages import frozen
from course_lib.widgets.flow_truth import TIMES, Truth, truth_of
from course_lib.widgets.live_training import LiveTraining, cfm_loss
from course_lib.widgets.scene import Arrows, Lines, Points, packed
from course_lib.widgets.yours import Own

PATH = GaussianPath(Linear())
LINE = [(0.1 * i - 1.5, 0.5) for i in range(31)]
NAMES = [*cloud.SHAPES, "drawn"]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def data(name):
    return cloud.shape(name) if name in cloud.SHAPES else cloud.drawn(LINE)


def mixture(name):
    shape = data(name)
    return GaussianMixture(shape.centres, shape.std**2)


def on_the_path(name, n, least=0.0, most=1.0):
    """(x_t, t, target), each (n, ...), in float64."""
    g = seeded()
    z, noise = data(name).sample(n, g).double(), torch.randn(n, 2, generator=g).double()
    t = least + (most - least) * torch.rand(n, generator=g).double()
    return PATH.sample(z, t, noise), t, z - noise


def student_loss(model, schedule, z, t, noise):
    """As Lab 2 asks for."""
    alpha, beta, alpha_dot, beta_dot = schedule(expand_time(t, z))
    prediction = model(alpha * z + beta * noise, t)
    return (prediction - (alpha_dot * z + beta_dot * noise)).square().sum(dim=1).mean()


class Exact(nn.Module):
    """The exact velocity as a network; its weight does nothing."""

    def __init__(self, shape):
        super().__init__()
        self.shape, self.weight = shape, nn.Parameter(torch.zeros(()))

    def forward(self, x, t):
        return self.shape.velocity(x, t) + 0 * self.weight


def trainer(loss=None, network=None, **values):
    explorer = FlowTrainer(loss, network, **values)
    return explorer, explorer.scene(**explorer.start)


def layers(scene, kind, color=None, panel=0):
    found = [layer for layer in scene.panels[panel].layers if isinstance(layer, kind)]
    return [layer for layer in found if color in (None, layer.color)]


def number(scene, label):
    (value,) = [readout.value for readout in scene.readouts if readout.label == label]
    return value


class Page:
    """A page's side of the answers: every state that was sent, and waiting for one."""

    def __init__(self, explorer):
        self.states, self.sent = [], threading.Condition()
        self.answers = Answers(explorer, self.put)
        self.answers.begin()

    def put(self, state):
        with self.sent:
            self.states.append(state)
            self.sent.notify_all()

    def say(self, **message):
        self.answers.receive(message)

    def until(self, true):
        with self.sent:
            assert self.sent.wait_for(lambda: true(self.states[-1]), timeout=20)
        return self.states[-1]

    def train(self, pictures=2, **values):
        """Start, and wait for so many pictures or for the end."""
        first = self.states[-1]["number"]
        self.say(kind="start", action="train", values=values)
        enough = first + pictures
        return self.until(lambda state: state["number"] >= enough or state["running"] is None)

    def stop(self):
        self.say(kind="stop")
        return self.until(lambda state: state["running"] is None)


def steps_of(state):
    words = state["spec"]["panels"][2]["title"]  # Training: 1,234 steps in 5.6 s
    return int(words.split()[1].replace(",", ""))


@pytest.fixture
def quickly(monkeypatch):
    monkeypatch.setattr(flow_trainer, "PAUSE", 0.02)
    monkeypatch.setattr(flow_trainer, "SHARE", 0.1)


# The data and their truth


@pytest.mark.parametrize("name", NAMES)
def test_velocity_density_and_floor_are_those_of_the_mixture(name):
    exact, shape = Marginal(PATH, mixture(name)), data(name)
    x, t, _ = on_the_path(name, 200, most=0.99)
    assert torch.allclose(shape.velocity(x, t), exact.velocity(x, t), atol=1e-6)
    floor = (exact.posterior_variance(x, t) / (1 - t).square()).mean().item()
    assert shape.floor(x, t) == pytest.approx(floor, rel=1e-6)

    line = torch.linspace(-2.0, 2.0, 9)
    grid = torch.stack(torch.meshgrid(line, line, indexing="xy"), dim=-1).flatten(0, 1)
    for moment in torch.tensor([0.0, 0.6, 1.0]):
        there = exact.log_prob(grid, moment).exp().view(9, 9)
        assert torch.allclose(shape.density(moment[None], line)[0], there, atol=1e-5)


def test_the_shapes_are_what_they_are_called():
    x = 4 * torch.rand(500, 2, generator=seeded()) - 2
    circles = Circles(noise=cloud.SMEAR)
    assert torch.allclose(mixture("circles").log_prob(x), circles.log_prob(x), rtol=1e-4)
    weights = [0.35, 0.15, 0.25, 0.10, 0.15]
    lab2 = GaussianMixture.ring(modes=5, radius=2.0, std=0.6, weights=weights)
    assert torch.allclose(mixture("five modes").log_prob(x), lab2.log_prob(x), rtol=1e-5)
    middles = torch.tensor([[-1.5, -1.5], [-0.5, -0.5], [0.5, 0.5], [1.5, -0.5]])
    there = mixture("chessboard").log_prob(middles).exp()
    assert torch.allclose(there, torch.full((4,), 1 / 8), rtol=1e-3)  # the ripple of its points
    white = torch.tensor([[-1.5, -0.5], [1.5, 0.5]])
    assert (mixture("chessboard").log_prob(white).exp() < 1e-9).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_exact_field_has_the_floor_as_its_loss_and_none_has_the_power(name):
    shape, n = data(name), 5_000
    x, t, target = on_the_path(name, n)
    losses = (shape.velocity(x, t) - target).square().sum(1)
    floor = shape.floor(x, t)
    assert losses.mean().item() == pytest.approx(floor, abs=4 * losses.std().item() / n**0.5)
    power = target.square().sum(1)
    assert power.mean().item() == pytest.approx(shape.power(), abs=4 * power.std().item() / n**0.5)


@pytest.mark.parametrize("name", NAMES)
def test_the_floor_that_is_drawn_is_that_of_uniform_times(name):
    x, t, _ = on_the_path(name, 20_000)
    truth = truth_of(name, tuple(LINE) if name == "drawn" else ())
    assert truth.floor == pytest.approx(data(name).floor(x, t), rel=0.012)


def test_the_exact_field_makes_no_error_and_moves_the_crowd_to_the_data():
    truth = truth_of("moons", ())
    flow = truth.learned(truth.cloud.velocity)
    assert flow.error == 0
    assert torch.equal(flow.arrows.nan_to_num(), truth.arrows.nan_to_num())
    finely = simulate(ODE(truth.cloud.velocity), flow.particles[0], time_grid(80), step=rk4_step)
    assert (flow.particles - finely.states[::4]).norm(dim=-1).median() < 0.01
    assert flow.distance.value < flow.distance.baseline + 4 * flow.distance.standard_error


def test_arrows_stand_where_there_is_density():
    truth = truth_of("circles", ())
    assert truth.places[0].isfinite().all(1).sum() > 100
    at_the_end = truth.places[-1][truth.places[-1].isfinite().all(1)]
    assert len(at_the_end) > 30
    away = torch.minimum((at_the_end.norm(dim=1) - 1).abs(), (at_the_end.norm(dim=1) - 2).abs())
    assert away.max() < 4 * cloud.SMEAR


# The picture


@pytest.mark.parametrize("name", cloud.SHAPES)
def test_untrained_particles_stand_still(name):
    _, scene = trainer(data=name)
    packed(scene)
    (particles,) = layers(scene, Points)
    assert particles.xy.shape == (len(TIMES), 800, 2)
    assert torch.equal(particles.xy[-1], particles.xy[0])
    assert number(scene, "over all t") == pytest.approx(100)
    assert torch.equal(number(scene, "error at t"), torch.full((len(TIMES),), 100.0))
    assert layers(scene, Arrows, "exact", panel=1)
    assert scene.panels[0].draw is None


def test_a_trained_flow_and_its_curves():
    explorer = FlowTrainer(data="moons")
    truth = truth_of("moons", ())
    training = LiveTraining(explorer.network, explorer.loss, truth)
    training.look()
    for _ in range(400):
        training.step()
    training.seconds = 1.0
    look = training.look()
    scene = explorer._picture("moons", (), training, look)
    packed(scene)
    assert number(scene, "over all t") < 20
    assert number(scene, "error at t").shape == (len(TIMES),)
    assert look.flow.distance.value < look.flow.distance.baseline + 0.01
    loss, floor, error = layers(scene, Lines, panel=2)
    assert (loss.color, floor.color, error.color) == ("guide", "exact", "simulated")
    assert torch.allclose(error.xy[0], torch.tensor([[0.0, 1.0], [0.4, look.flow.error]]))
    assert loss.xy[0, :, 1].mean().item() * truth.power == pytest.approx(
        look.losses[: 3 * len(loss.xy[0])].mean().item(), rel=1e-4
    )
    assert floor.xy[0, 0, 1].item() * truth.power == pytest.approx(truth.floor)
    assert "400 steps in 1.0 s" in scene.panels[2].title


def test_what_is_learned_with_a_readers_function_is_drawn_as_theirs():
    _, scene = trainer(student_loss)
    assert [layer.color for layer in layers(scene, Points)] == ["yours"]
    assert layers(scene, Arrows, "yours", panel=1)
    assert any("your loss" in words for _, _, words in scene.legend)
    _, scene = trainer(student_loss, MLP())
    assert any("your loss and network" in words for _, _, words in scene.legend)


# Training


def losses_after(training, steps):
    for _ in range(steps):
        training.step()
    return training.losses


def test_lab_2s_loss_trains_as_the_librarys():
    explorer, truth = FlowTrainer(), truth_of("moons", ())
    ours = losses_after(LiveTraining(explorer.network, Own(cfm_loss, "loss", ""), truth), 20)
    theirs = losses_after(LiveTraining(explorer.network, Own(student_loss, "loss", ""), truth), 20)
    assert theirs == pytest.approx(ours, rel=1e-4)


def test_looking_does_not_change_what_is_learned():
    explorer, truth = FlowTrainer(), truth_of("moons", ())
    through, watched = (
        LiveTraining(explorer.network, Own(cfm_loss, "loss", ""), truth) for _ in range(2)
    )
    losses_after(through, 30)
    for _ in range(3):
        losses_after(watched, 10)
        watched.look()
    assert watched.losses == through.losses
    weights = zip(watched.model.parameters(), through.model.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in weights)


def test_train_stop_and_go_on(quickly):
    page = Page(FlowTrainer(data="moons"))
    page.train()
    stopped = page.stop()
    assert stopped["error"] is None
    first = steps_of(stopped)
    assert first > 0
    page.train()
    assert steps_of(page.stop()) > first
    assert [s for s in map(steps_of, page.states) if s] == sorted(
        s for s in map(steps_of, page.states) if s
    )  # it never began again


def test_other_data_end_the_training_and_begin_anew(quickly):
    page = Page(FlowTrainer(data="moons"))
    page.train()
    page.say(kind="ask", values={"data": "circles"}, serial=1)
    last = page.until(lambda state: state["running"] is None)
    assert last["values"]["data"] == "circles"
    assert steps_of(last) == 0
    page.say(kind="ask", values={"data": "moons"}, serial=2)
    assert steps_of(page.states[-1]) == 0


def test_start_anew_forgets_the_network(quickly):
    page = Page(FlowTrainer(data="moons"))
    page.train()
    page.stop()
    page.say(kind="start", action="anew", values={"data": "moons"})
    assert steps_of(page.until(lambda state: state["running"] is None)) == 0


def test_it_ends_by_itself(quickly, monkeypatch):
    monkeypatch.setattr(flow_trainer, "LONGEST", 0.1)
    page = Page(FlowTrainer(data="moons"))
    assert page.train(pictures=1000)["running"] is None
    assert steps_of(page.states[-1]) > 0


def test_every_widget_has_a_network_of_its_own(quickly):
    network = MLP(width=16, depth=1)
    before = [weight.clone() for weight in network.parameters()]
    one, other = Page(FlowTrainer(network=network)), Page(FlowTrainer(network=network))
    one.train()
    one.stop()
    other.say(kind="ask", values={}, serial=1)
    assert steps_of(other.states[-1]) == 0
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), before, strict=True))


def test_a_frozen_network_is_trained_all_the_same(quickly):
    page = Page(FlowTrainer(network=MLP(width=16, depth=1).requires_grad_(False), data="moons"))
    page.train()
    assert page.stop()["error"] is None
    assert steps_of(page.states[-1]) > 0


def test_the_random_numbers_of_others_are_left_alone():
    torch.manual_seed(3)
    expected = torch.randn(3)
    torch.manual_seed(3)
    trainer()
    assert torch.equal(torch.randn(3), expected)


@pytest.mark.kernel
def test_pictures_leave_a_kernel_from_the_thread_that_trains():
    manager, client = start_new_kernel(kernel_name="python3")
    try:

        def run(code):
            reply = client.execute_interactive(code, timeout=60, output_hook=lambda message: None)
            assert reply["content"]["status"] == "ok", reply["content"]

        def pictures(n):
            while n:
                message = client.get_iopub_msg(timeout=20)
                update = message["msg_type"] == "comm_msg" and message["content"]["data"]
                n -= bool(update and update["method"] == "update" and message["buffers"])

        run("from course_lib.widgets import FlowTrainer")
        run("answers = FlowTrainer(data='moons').stage.answers")
        run("answers.receive({'kind': 'start', 'action': 'train', 'values': {'data': 'moons'}})")
        pictures(3)  # while no cell runs
        run("answers.receive({'kind': 'stop'})")
        run("import time\nwhile answers.state['running']: time.sleep(0.01)")
        run("assert answers.state['error'] is None")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


# Drawing


@pytest.mark.parametrize("n", [0, 1, 4])
def test_a_drawing_of_too_few_points(n):
    page = Page(FlowTrainer(data="drawn", drawing=LINE[:n]))
    state = page.states[-1]
    assert state["error"] is None
    assert "5 points or more" in state["spec"]["note"]
    assert state["spec"]["panels"][0]["draw"] == "drawing"
    page.say(kind="start", action="train", values={"data": "drawn", "drawing": LINE[:n]})
    state = page.until(lambda state: state["running"] is None and state["error"])
    assert ("no points" if n == 0 else f"{n} point") in state["error"]
    assert "expected 5 or more" in state["error"]


def test_a_drawing_is_learned_and_can_be_drawn_in_again(quickly):
    page = Page(FlowTrainer())
    values = {"data": "drawn", "drawing": [list(point) for point in LINE]}
    page.say(kind="ask", values=values, serial=1)
    assert page.states[-1]["spec"]["panels"][0]["title"] == "Draw here"
    live = page.train(**values)
    assert live["spec"]["panels"][0]["draw"] is None  # a picture would take the pen away
    density, *crowds = live["spec"]["panels"][0]["layers"]
    assert density["kind"] == "image"
    assert [layer["color"] for layer in crowds] == ["end", "simulated"]
    stopped = page.stop()
    assert stopped["spec"]["panels"][0]["draw"] == "drawing"
    more = {**values, "drawing": [*LINE, (0.0, 2.0)]}
    page.say(kind="ask", values=more, serial=2)
    assert steps_of(page.states[-1]) == 0
    page.train(**more)
    page.stop()
    page.say(kind="start", action="anew", values=more)
    last = page.until(lambda state: state["running"] is None)
    assert steps_of(last) == 0
    assert [list(point) for point in last["values"]["drawing"]] == [
        list(p) for p in more["drawing"]
    ]


@pytest.mark.parametrize("data", ["drawn", "moons"])
def test_a_new_drawing_begins_on_an_empty_sheet(quickly, data):
    page = Page(FlowTrainer(data=data, drawing=LINE))
    page.say(kind="start", action="sheet", values={"data": data, "drawing": LINE})
    last = page.until(lambda state: state["running"] is None and state["values"])
    assert last["values"]["data"] == "drawn"
    assert list(last["values"]["drawing"]) == []
    assert "5 points or more" in last["spec"]["note"]
    assert last["spec"]["panels"][0]["draw"] == "drawing"


def test_a_very_long_drawing_is_thinned():
    points = [(math.cos(i), math.sin(i)) for i in range(3000)]
    assert len(cloud.drawn(points).centres) == cloud.MOST
    fewest = cloud.drawn(LINE[: cloud.FEWEST]).centres
    assert torch.allclose(fewest, torch.tensor(LINE[: cloud.FEWEST]))


@pytest.mark.parametrize(
    "drawing", [[1, 2], [(0.0, 1.0, 2.0)], "no", [(float("nan"), 0.0)], [(100.0, 0.0)]]
)
def test_what_is_no_drawing(drawing):
    with pytest.raises(ValueError, match="drawing"):
        FlowTrainer(data="drawn", drawing=drawing)


# A reader's own functions that go wrong


def raises(model, schedule, z, t, noise):
    raise IndexError("too many")


def a_row_each(model, schedule, z, t, noise):
    return (model(z, t) - z).square().sum(dim=1)


def no_tensor(model, schedule, z, t, noise):
    return 3.0


def without_gradient(model, schedule, z, t, noise):
    return student_loss(model, schedule, z, t, noise).detach()


def of_nothing(model, schedule, z, t, noise):
    return z.requires_grad_().sum()


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        (raises, "raises raised IndexError: too many"),
        (a_row_each, "a_row_each returned shape (512,); expected ()"),
        (no_tensor, "no_tensor returned a float"),
        (without_gradient, "without_gradient returned a number without a gradient"),
        (of_nothing, "of_nothing does not depend on the model"),
    ],
)
def test_a_loss_that_goes_wrong(quickly, loss, words):
    page = Page(FlowTrainer(loss, data="moons"))
    before = page.states[-1]["error"]
    assert before is None if loss is of_nothing else words in before
    page.say(kind="start", action="train", values={"data": "moons"})
    state = page.until(lambda state: state["running"] is None and state["error"])
    assert words in state["error"]
    page.say(kind="ask", values={"data": "circles"}, serial=1)
    assert page.states[-1]["error"] == before
    assert page.states[-1]["values"]["data"] == "circles"


def test_what_a_loss_prints_in_training_is_shown_in_the_widget(quickly, capsys):
    def chatty(model, schedule, z, t, noise):
        print("times", tuple(t.shape))
        return student_loss(model, schedule, z, t, noise)

    page = Page(FlowTrainer(chatty, data="moons"))
    capsys.readouterr()  # of the first look, in the cell itself
    live = page.train()
    assert live["error"].startswith("Printed: ")
    assert live["error"].endswith("times (512,)")
    page.stop()
    assert capsys.readouterr().out == ""


def test_a_loss_that_explodes_the_weights(quickly):
    def uphill(model, schedule, z, t, noise):
        return -1e6 * student_loss(model, schedule, z, t, noise)

    page = Page(FlowTrainer(uphill, data="moons"))
    page.say(kind="start", action="train", values={"data": "moons"})
    state = page.until(lambda state: state["running"] is None and state["error"])
    assert "uphill" in state["error"]
    assert page.states[-1]["spec"]


def test_a_loss_that_becomes_nan(quickly):
    calls = []

    def wild(model, schedule, z, t, noise):
        calls.append(1)
        return student_loss(model, schedule, z, t, noise) * (math.nan if len(calls) > 60 else 1.0)

    page = Page(FlowTrainer(wild, data="moons"))
    page.say(kind="start", action="train", values={"data": "moons"})
    state = page.until(lambda state: state["running"] is None and state["error"])
    assert "wild returned nan; expected a finite number" in state["error"]
    assert steps_of(state) <= 60


class Bad(nn.Module):
    def __init__(self, answer):
        super().__init__()
        self.answer, self.weight = answer, nn.Parameter(torch.ones(()))

    def forward(self, x, t):
        return self.answer(self.weight * x)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda x: x[:, :1], "returned shape"),
        (lambda x: x / 0 * 0, "returned NaN"),
        (lambda x: x @ torch.ones(3, 3), "raised RuntimeError"),
    ],
)
def test_a_network_that_goes_wrong(quickly, answer, words):
    page = Page(FlowTrainer(network=Bad(answer), data="moons"))
    scene = page.answers.explorer.scene(**page.answers.explorer.start)
    packed(scene)
    assert words in scene.error
    assert layers(scene, Arrows, "exact", panel=1)  # the rest is there
    page.say(kind="start", action="train", values={"data": "moons"})
    assert words in page.until(lambda state: state["running"] is None and state["error"])["error"]


def test_a_training_that_diverges_shows_its_steps_and_says_so_until_it_begins_anew(quickly):
    page = Page(FlowTrainer(loss=lambda *args: -1000 * cfm_loss(*args), data="moons"))
    values = {"data": "moons"}
    page.say(kind="start", action="train", values=values)
    ended = page.until(lambda state: state["running"] is None and state["error"])
    assert "steps down <lambda>: MLP returned" in ended["error"]
    assert steps_of(ended) > 0
    page.say(kind="ask", values=values, serial=5)
    assert page.states[-1]["error"] == ended["error"]
    page.say(kind="start", action="train", values=values)
    again = page.until(lambda state: state["running"] is None)
    assert (again["error"], steps_of(again)) == (ended["error"], steps_of(ended))
    page.say(kind="start", action="anew", values=values)
    assert steps_of(page.until(lambda state: state["running"] is None)) == 0
    assert page.states[-1]["error"] is None


def test_what_two_samples_of_the_data_are_apart_does_not_depend_on_the_network():
    explorer, truth = FlowTrainer(data="moons"), truth_of("moons", ())
    before = number(explorer.scene(**explorer.start), "of two data samples")
    training = explorer._training_on("moons", ())
    for _ in range(50):
        training.step()
    training.look()
    assert number(explorer.scene(**explorer.start), "of two data samples") == before
    g = seeded(3)
    apart = [
        energy_distance(truth.cloud.sample(800, g), truth.cloud.sample(800, g)).value
        for _ in range(20)
    ]
    assert truth.chance == pytest.approx(sum(apart) / len(apart), rel=0.25)


@pytest.mark.parametrize(
    ("loss", "words"), [(3.0, "loss is a float; expected a"), (..., "loss is not written yet")]
)
def test_what_is_no_loss_is_said_before_the_training(loss, words):
    page = Page(FlowTrainer(loss))
    assert page.states[-1]["error"].startswith(words)
    assert page.states[-1]["spec"]


def test_what_cannot_be_built():
    with pytest.raises(ValueError, match="network is a function; expected a torch module"):
        FlowTrainer(network=student_loss)
    with pytest.raises(ValueError, match="without a parameter"):
        FlowTrainer(network=nn.Identity())
    with pytest.raises(ValueError, match="data is 'stars'"):
        FlowTrainer(data="stars")


# Frozen


def test_the_frozen_page_is_trained_and_small():
    explorer = FlowTrainer()
    scene = explorer.still(**explorer.start)
    assert "100 steps" in scene.panels[2].title
    assert number(scene, "over all t") < 60
    page = frozen(explorer, {"previous": None, "contents": None, "next": None})
    assert len(page) < MOST_MB * 1e6


def test_the_same_data_again_cost_nothing(monkeypatch):
    explorer, first = trainer()
    monkeypatch.setattr(Truth, "learned", None)
    again = explorer.scene(**explorer.start)
    assert packed(again) == packed(first)
