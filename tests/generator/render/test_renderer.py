"""A frame shows the portrait as it was pictured, moved exactly as commanded, and nothing else moves."""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from generator.arkit import EXPRESSIONS
from generator.face import topology
from generator.motion.motion import WIDTH
from generator.portrait.eyes import CURVE_SAMPLES, EyeLayer
from generator.portrait.framing import Aspect
from generator.portrait.landmarks import FaceLandmarker
from generator.portrait.portrait import Portrait
from generator.render.eyes import EYEBALL_REACH
from generator.render.renderer import LOOK_DEG, Renderer
from generator.sitters import sitters

EYE_LINE = (33, 263)
UPPER_LIP, LOWER_LIP = 13, 14
EYE_CORNERS = ((33, 133), (362, 263))
"""Of the eye on the image's left and the one on its right, from left to right."""
PAINTED = ("oil_portrait", "cartoon", "cartoon_keeper")
"""Sitters whose eyes differ in colour from their skin; a sculpture's do not."""
CORNER_PX = 24
HOLE = (255, 0, 255)

Array = NDArray[np.float64]
Frame = NDArray[np.uint8]
Row = NDArray[np.float32]
Build = Callable[..., Row]


@pytest.fixture
def draw(sitting: Portrait, row: Build) -> Callable[..., Frame]:
    """``draw(yaw=10)``: a frame of each sitter in turn."""
    renderer = Renderer(sitting)
    return lambda **motion: renderer.frame(row(**motion))


@pytest.fixture
def read(draw, sitting: Portrait, landmarker: FaceLandmarker) -> Callable[..., Array]:
    """``read(yaw=10)``: the landmarks (478, 3) that the landmark model sees in such a frame."""

    def landmarks(**motion: float) -> Array:
        face = landmarker.track(draw(**motion), sitting.landmarks)
        assert face is not None, f"the face is lost at {motion}"
        return face.landmarks

    return landmarks


def changed(frame: Frame, portrait: Portrait) -> NDArray[np.int64]:
    """(H, W) largest difference to the source in any channel."""
    return np.abs(frame.astype(int) - portrait.frame).max(-1)


def both(name: str, weight: float) -> dict[str, float]:
    return {f"{name}Left": weight, f"{name}Right": weight}


# at rest


def test_at_rest_a_frame_equals_its_source(sitting: Portrait, draw):
    error = np.mean((draw().astype(float) - sitting.frame) ** 2)
    assert 10 * np.log10(255**2 / max(error, 1e-9)) >= 45


def test_frames_are_new_contiguous_pictures(portrait: Portrait, row: Build):
    renderer = Renderer(portrait)
    first = renderer.frame(row(yaw=5))
    kept = first.copy()
    second = renderer.frame(row(yaw=-5, jawOpen=1))
    assert first.shape == portrait.frame.shape
    assert first.dtype == np.uint8
    assert first.flags.c_contiguous
    assert first.flags.owndata
    assert not np.shares_memory(first, second)
    np.testing.assert_array_equal(first, kept)


def test_a_frame_depends_on_its_motion_alone(portrait: Portrait, row: Build):
    """Neither on the frames before it nor on the renderer that draws it."""
    motion = row(yaw=7, jawOpen=0.4, eyeBlinkLeft=0.6, gaze_yaw=12)
    renderer = Renderer(portrait)
    first = renderer.frame(motion)
    renderer.frame(row(yaw=-30, pitch=20, jawOpen=1, mouthPucker=1))
    np.testing.assert_array_equal(renderer.frame(motion), first)
    np.testing.assert_array_equal(Renderer(portrait).frame(motion), first)


def test_drawing_changes_neither_the_motion_nor_the_portrait(portrait: Portrait, row: Build):
    motion, frame = row(yaw=7, gaze_pitch=-20, eyeLookUpLeft=0.5), portrait.frame.copy()
    before = motion.copy()
    Renderer(portrait).frame(motion)
    np.testing.assert_array_equal(motion, before)
    np.testing.assert_array_equal(portrait.frame, frame)


# the head


@pytest.mark.parametrize("roll", [-12, 12])
def test_roll_tips_the_head_as_far_as_commanded(read, roll: float):
    def slope(landmarks: Array) -> float:
        across = landmarks[EYE_LINE[1]] - landmarks[EYE_LINE[0]]
        return float(np.degrees(np.arctan2(across[1], across[0])))

    assert slope(read(roll=roll)) - slope(read()) == pytest.approx(roll, rel=0.15)


@pytest.mark.parametrize(("axis", "column", "sign"), [("x", 0, 1), ("y", 1, -1)])
def test_translation_carries_the_face_by_centimetres(
    sitting: Portrait, read, axis: str, column: int, sign: int
):
    moved = (read(**{axis: 1.0}) - read())[: topology.VERTEX_COUNT, column].mean()
    assert moved == pytest.approx(sign * sitting.pose.scale, rel=0.2)


def test_a_nearer_head_is_larger(read):
    def height(landmarks: Array) -> float:
        return float(np.linalg.norm(landmarks[topology.FOREHEAD_TOP] - landmarks[topology.CHIN]))

    assert height(read(z=-8)) * 1.05 < height(read()) < height(read(z=8)) / 1.05


@pytest.mark.parametrize("turn", [{"yaw": 10}, {"yaw": -10}, {"pitch": 10}, {"pitch": -10}, {"roll": 10}])
def test_background_and_shoulders_stay_while_the_head_turns(sitting: Portrait, draw, turn: dict[str, float]):
    moved = changed(draw(**turn), sitting)
    c = CORNER_PX
    for corner in (moved[:c, :c], moved[:c, -c:], moved[-c:, :c], moved[-c:, -c:]):
        assert corner.max() <= 2
    assert moved[-8:].max() <= 2
    assert np.median(moved[:, :8]) == np.median(moved[:, -8:]) == 0
    assert moved.max() > 40, "the head should have turned"


# the mouth


def test_the_jaw_opens_the_lips_the_further_the_more(sitting: Portrait, read):
    gaps = [
        float(np.linalg.norm(p[UPPER_LIP, :2] - p[LOWER_LIP, :2])) / sitting.pose.scale
        for p in (read(jawOpen=weight) for weight in (0, 0.2, 0.4, 0.6, 0.8, 1))
    ]
    assert (np.diff(gaps) > 0.15).all()
    assert 1.5 < gaps[-1] - gaps[0] < 5


def test_the_jaw_leaves_the_forehead_as_it_is(sitting: Portrait, draw):
    forehead = np.zeros(sitting.frame.shape[:2], np.uint8)
    ring = sitting.landmarks[[54, 103, 67, 109, 10, 338, 297, 332, 284, 334, 296, 336, 107, 66, 105], :2]
    cv2.fillPoly(forehead, [np.round(ring).astype(np.int32)], 1)
    assert changed(draw(jawOpen=1), sitting)[forehead == 1].max() <= 3


def test_an_open_mouth_shows_something_dark(sitting: Portrait, draw):
    """At rest closed lips, then the throat: the darkest of the mouth falls well below the lips' tone."""
    frame = draw(jawOpen=0.8)
    lip = sitting.landmarks[LOWER_LIP, :2]
    x, y = np.round(lip).astype(int)
    reach = round(0.8 * sitting.pose.scale)
    inside = frame[y : y + 2 * reach, x - reach : x + reach].mean(-1)
    at_rest = sitting.frame[y : y + 2 * reach, x - reach : x + reach].mean(-1)
    assert np.percentile(inside, 10) < 0.6 * np.percentile(at_rest, 50)


# the eyes


def down(eye: EyeLayer) -> Array:
    return np.array([-eye.axis[1], eye.axis[0]])


def iris_place(eye: EyeLayer, frame: Frame) -> NDArray[np.bool_]:
    """(H, W) pixels that show the middle of the iris at rest."""
    rows, columns = np.indices(frame.shape[:2])
    offset = (np.stack([columns, rows], -1) - eye.centre) / eye.width_px
    u, v = offset @ eye.axis, offset @ down(eye)
    even = np.linspace(-0.5, 0.5, CURVE_SAMPLES)
    between_lids = (v > np.interp(u, even, eye.upper) + 0.02) & (v < np.interp(u, even, eye.lower) - 0.02)
    return between_lids & (np.hypot(u - eye.iris_centre[0], v - eye.iris_centre[1]) < 0.7 * eye.iris_radius)


def kept(eye: EyeLayer, frame: Frame, source: Frame) -> float:
    """Share of the iris' pixels that still look as in the source."""
    here = iris_place(eye, source)
    return float((np.abs(frame[here].astype(int) - source[here]).max(-1) <= 12).mean())


def iris_coloured(eye: EyeLayer, frame: Frame) -> float:
    """Share of the iris' pixels whose colour is nearer the iris' than the closed lid's."""
    here = frame[iris_place(eye, frame)].astype(float)
    iris = np.median(eye.iris[..., :3][eye.iris[..., 3] > 0.99], 0)
    lid = np.median(eye.lid.reshape(-1, 3), 0)
    return float((np.linalg.norm(here - iris, axis=1) < np.linalg.norm(here - lid, axis=1)).mean())


def iris_shift(eye: EyeLayer, frame: Frame, source: Frame) -> Array:
    """How far the source's pupil has moved, to the right and up along the eye, in eye widths."""
    subpixels, half_px = 4, 0.5 * eye.iris_radius * eye.width_px
    search_px = half_px + 0.25 * eye.width_px
    middle = eye.to_frame @ (*eye.iris_centre, 1)

    def patch(picture: Frame, reach_px: float) -> Frame:
        to_picture = np.column_stack([np.eye(2) / subpixels, middle - reach_px])
        side = round(2 * reach_px * subpixels)
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        return np.asarray(cv2.warpAffine(picture, to_picture, (side, side), flags=flags), np.uint8)

    likeness = cv2.matchTemplate(patch(frame, search_px), patch(source, half_px), cv2.TM_CCOEFF_NORMED)
    _, best, _, at = cv2.minMaxLoc(likeness)
    assert best > 0.8, "the iris is not to be found"
    offset = (np.array(at) / subpixels - (search_px - half_px)) / eye.width_px
    return np.array([offset @ eye.axis, -offset @ down(eye)])


def test_a_blink_hides_the_iris(sitting: Portrait, draw):
    shut = draw(**both("eyeBlink", 1))
    for eye in sitting.eyes:
        assert kept(eye, shut, sitting.frame) < 0.3


@pytest.mark.parametrize("name", PAINTED)
def test_half_a_blink_hides_half_the_iris(portraits: dict[str, Portrait], row: Build, name: str):
    renderer = Renderer(portraits[name])
    frames = [renderer.frame(row(**both("eyeBlink", weight))) for weight in (0, 0.5, 1)]
    for eye in portraits[name].eyes:
        opened, half, shut = (iris_coloured(eye, frame) for frame in frames)
        assert opened > 0.6
        assert shut < 0.12
        assert shut + 0.15 < half < opened - 0.1


@pytest.mark.parametrize("side", ["Left", "Right"])
def test_a_wink_closes_the_sitters_own_left_or_right_eye_only(sitting: Portrait, draw, side: str):
    frame = draw(**{f"eyeBlink{side}": 1})
    for eye in sitting.eyes:
        share = kept(eye, frame, sitting.frame)
        assert share < 0.3 if eye.ring.side == side else share == 1


@pytest.mark.parametrize("degrees", [-20, -12, 12, 20])
def test_gaze_yaw_moves_both_irises_to_the_images_right(sitting: Portrait, draw, degrees: float):
    frame = draw(gaze_yaw=degrees)
    for eye in sitting.eyes:
        expected = EYEBALL_REACH * np.sin(np.radians(degrees)), 0
        np.testing.assert_allclose(iris_shift(eye, frame, sitting.frame), expected, atol=0.025)


@pytest.mark.parametrize("degrees", [-12, 12])
def test_gaze_pitch_lifts_both_irises(sitting: Portrait, draw, degrees: float):
    frame = draw(gaze_pitch=degrees)
    for eye in sitting.eyes:
        expected = 0, EYEBALL_REACH * np.sin(np.radians(degrees))
        np.testing.assert_allclose(iris_shift(eye, frame, sitting.frame), expected, atol=0.025)


@pytest.mark.parametrize(
    ("looks", "gaze"),
    [
        ({"eyeLookInRight": 0.5, "eyeLookOutLeft": 0.5}, {"gaze_yaw": 0.5 * LOOK_DEG["In"]}),
        ({"eyeLookOutRight": 0.5, "eyeLookInLeft": 0.5}, {"gaze_yaw": -0.5 * LOOK_DEG["Out"]}),
        (both("eyeLookUp", 0.5), {"gaze_pitch": 0.5 * LOOK_DEG["Up"]}),
        (both("eyeLookDown", 0.5), {"gaze_pitch": -0.5 * LOOK_DEG["Down"]}),
    ],
    ids=["right", "left", "up", "down"],
)
def test_look_weights_are_gaze_by_another_name(portrait: Portrait, row: Build, looks, gaze):
    renderer = Renderer(portrait)
    difference = renderer.frame(row(**looks)).astype(int) - renderer.frame(row(**gaze))
    assert np.abs(difference).max() <= 1
    assert changed(renderer.frame(row(**gaze)), portrait).max() > 20


def test_look_weights_add_to_gaze(portrait: Portrait, row: Build):
    renderer = Renderer(portrait)
    together = renderer.frame(row(gaze_yaw=-10, eyeLookInRight=0.5, eyeLookOutLeft=0.5))
    alone = renderer.frame(row(gaze_yaw=0.5 * LOOK_DEG["In"] - 10))
    assert np.abs(together.astype(int) - alone).max() <= 1


def test_lids_follow_the_gaze_down(read):
    def openings(landmarks: Array) -> Array:
        lids = ((159, 145, *EYE_CORNERS[0]), (386, 374, *EYE_CORNERS[1]))
        xy = landmarks[:, :2]
        return np.array(
            [np.linalg.norm(xy[a] - xy[b]) / np.linalg.norm(xy[c] - xy[d]) for a, b, c, d in lids]
        )

    assert (openings(read(gaze_pitch=-25)) < 0.88 * openings(read())).all()


# whatever the motion


@settings(max_examples=40)
@given(
    st.lists(st.floats(0, 1, width=32), min_size=51, max_size=51),
    st.tuples(*[st.floats(-90, 90, width=32)] * 3),
    st.tuples(*[st.floats(-50, 50, width=32)] * 3),
    st.tuples(*[st.floats(-60, 60, width=32)] * 2),
)
def test_every_valid_motion_is_drawn(portraits, weights, rotation, translation, gaze):
    motion = np.array([*weights, *rotation, *translation, *gaze], np.float32)
    portrait = portraits[sitters()[0].name]
    frame = Renderer(portrait).frame(motion)
    assert frame.shape == portrait.frame.shape


@pytest.mark.parametrize("yaw", [-40, 40])
@pytest.mark.parametrize("shift", [-10, 10])
def test_extreme_motion_leaves_no_hole(sitting: Portrait, yaw: float, shift: float):
    """A pixel that nothing covers shows the source's first pixel."""
    motion = np.ones(WIDTH, np.float32)
    motion[len(EXPRESSIONS) :] = yaw, 20, 20, shift, shift, shift, 30, -30
    source = np.full_like(sitting.frame, 128)
    source[0, 0] = HOLE
    holes = (Renderer(replace(sitting, frame=source)).frame(motion) == HOLE).all(-1)
    assert holes[0, 0]
    assert holes.sum() == 1
    frame = Renderer(sitting).frame(motion)
    assert (frame.max(-1) == 0).mean() <= (sitting.frame.max(-1) == 0).mean() + 1e-3


@pytest.mark.parametrize(("size", "aspect"), [(256, Aspect.SQUARE), (1024, Aspect.SQUARE), (384, Aspect.OWN)])
def test_other_sizes_and_shapes_show_the_same_movement(
    portrait: Portrait, landmarker: FaceLandmarker, row: Build, size: int, aspect: Aspect
):
    other = Portrait.open(sitters()[0].path, size=size, aspect=aspect, landmarker=landmarker)
    assert changed(Renderer(other).frame(row()), other).max() <= 2
    motion = row(yaw=8, jawOpen=0.6, eyeBlinkLeft=1)
    frame = Renderer(other).frame(motion)
    assert frame.shape == other.frame.shape
    seen = landmarker.track(frame, other.landmarks)
    expected = landmarker.track(Renderer(portrait).frame(motion), portrait.landmarks)
    assert seen is not None
    assert expected is not None
    scaled = (expected.landmarks[:, :2] - portrait.landmarks[1, :2]) / portrait.pose.scale
    apart = (seen.landmarks[:, :2] - other.landmarks[1, :2]) / other.pose.scale - scaled
    assert np.linalg.norm(apart, axis=1).mean() < 0.6
