"""Films are tracked to the same curves, and directions are seen in rendered frames."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from generator.errors import VideoError
from generator.evaluation import films, iris
from generator.evaluation.control import Rehearsed, Response, Stage, control_figures
from generator.evaluation.performance import Judge
from generator.evaluation.pieces import made_of, our_clips
from generator.evaluation.track import FaceTrack, film_landmarks, track_landmarks
from generator.face.decoder import FaceDecoder
from generator.film import render_film
from generator.motion.directing import direct
from generator.motion.direction import Direction
from generator.motion.motion import Motion
from generator.portrait.landmarks import FaceLandmarker
from generator.portrait.portrait import Portrait
from generator.render.renderer import Renderer
from generator.sitters import clips
from generator.video import VideoWriter

Row = Callable[..., np.ndarray]


@pytest.mark.parametrize(("yaw", "pitch"), [(-20, 0), (-10, 0), (10, 0), (20, 0)])
def test_a_turned_eye_is_measured_within_two_and_a_half_degrees(
    portrait: Portrait, landmarker: FaceLandmarker, row: Row, yaw: float, pitch: float
):
    renderer = Renderer(portrait)
    rest, turned = (renderer.frame(row(gaze_yaw=k * yaw, gaze_pitch=k * pitch)) for k in (0, 1))
    at_rest, after = (landmarker.track(frame, portrait.landmarks) for frame in (rest, turned))
    assert at_rest is not None
    assert after is not None
    measured = iris.IrisMatcher(rest, at_rest.landmarks).turn(turned, after.landmarks)
    assert measured == pytest.approx((yaw, pitch), abs=2.5)


def test_a_rendered_head_is_tracked_where_it_was_put(
    portrait: Portrait, landmarker: FaceLandmarker, row: Row
):
    renderer = Renderer(portrait)
    rows = [
        row(),
        row(yaw=10),
        row(pitch=8),
        row(roll=8),
        row(z=7),
        row(jawOpen=0.3),
        row(eyeBlinkLeft=1, eyeBlinkRight=1),
    ]
    faces = [landmarker.track(renderer.frame(one), portrait.landmarks) for one in rows]
    landmarks = np.stack([face.landmarks for face in faces if face is not None])
    seen = track_landmarks(landmarks, FaceDecoder.load().mean_shape)
    turned = seen.rotation - seen.rotation[0]
    assert turned[1] == pytest.approx((10, 0, 0), abs=2)
    assert turned[2] == pytest.approx((0, 8, 0), abs=2)
    assert turned[3, 2] == pytest.approx(8, abs=1)
    assert np.abs(turned[3, :2]).max() < 4, "a tracker takes some roll for yaw"
    assert seen.scale[4] / seen.scale[0] == pytest.approx(1.1, abs=0.03)
    assert seen.opening[5] > seen.opening[0] + 0.5
    assert seen.lids[6] < 0.55 * seen.lids[0]


class _Still:
    """A driver that moves nothing but what it is told, and, if ``deaf``, not even that."""

    name = "still"

    def __init__(self, deaf: bool = False) -> None:
        self.deaf = deaf

    def __call__(self, speech: object, *, seed: int = 0, direction: Direction = Direction()) -> Motion:  # noqa: B008
        rest = Motion.rest(10)
        return rest if self.deaf else direct(rest, direction, seed=seed)


@pytest.mark.slow
def test_a_directed_face_responds_and_a_deaf_driver_is_found_out(
    portrait: Portrait, landmarker: FaceLandmarker
):
    stage = Stage(portrait, landmarker, FaceDecoder.load())
    speech = made_of(np.zeros(6400, np.float32))
    directed = control_figures([stage.responses(_Still(), speech)])
    assert directed["gaze_error_deg"] < 4
    assert directed["distance_error_max_percent"] < 10
    assert directed["pose_error_deg"] < 2
    assert directed["controls_monotonic"] == 1
    assert directed["emotions_monotonic"] == 1
    assert directed["emotions_recognised"] > 0.5
    deaf = control_figures([stage.responses(_Still(deaf=True), speech)])
    assert deaf["gaze_error_deg"] > 9
    assert deaf["controls_monotonic"] == 0
    assert deaf["emotions_monotonic"] == 0


def test_a_rehearsed_driver_plays_the_same_and_only_once():
    speech = made_of(np.zeros(6400, np.float32))
    rehearsed = Rehearsed(_Still())
    left, right = Direction.constant(gaze=(-5, 0)), Direction.constant(gaze=(5, 0))
    assert rehearsed(speech, direction=left) is rehearsed(speech, direction=Direction.constant(gaze=(-5, 0)))
    assert rehearsed(speech, direction=right) == _Still()(speech, direction=right)
    assert rehearsed(speech, direction=right) != rehearsed(speech, direction=left)


def test_responses_rise_or_they_do_not():
    assert Response((0, 1, 2), (0, 0.5, 0.7)).monotonic
    assert not Response((0, 1, 2), (0, 0.5, 0.4)).monotonic
    assert Response((0, 10), (0, 7)).errors.tolist() == [0, -3]


@pytest.mark.slow
def test_a_film_is_measured_like_the_motion_it_was_made_from(
    portrait: Portrait, landmarker: FaceLandmarker, tmp_path: Path
):
    from generator.motion import driver
    from generator.speech.audio import Speech

    path = tmp_path / "film.mp4"
    sound = clips()[0].path
    render_film(portrait, driver.get("rules")(Speech.open(sound), seed=0), path, audio=sound)
    found = films.evaluate_film(path, landmarker, Judge())
    figures = found.figures
    assert len(found.track) == pytest.approx(25 * clips()[0].seconds, abs=1)
    assert abs(figures["offset_frames"]) < 2
    assert figures["sync_confidence"] > 2 * figures["sync_confidence_shuffled"]
    assert 5 < figures["blinks_per_min"] < 40
    assert 100 < figures["blink_ms_median"] < 400
    assert figures["bilabial_closed"] > 0.6


def test_a_film_without_a_face_is_refused(landmarker: FaceLandmarker, tmp_path: Path):
    path = tmp_path / "grey.mp4"
    with VideoWriter(path, size=(128, 128)) as film:
        for _ in range(5):
            film.write(np.full((128, 128, 3), 120, np.uint8))
    with pytest.raises(VideoError, match="a face in 0 of 5 frames"):
        film_landmarks(path, landmarker)


def test_another_frame_rate_keeps_curves_and_length():
    times = np.arange(60) / 30
    curves = {name: np.sin(times) for name in ("opening", "width", "lids", "brows", "scale")}
    spatial = {"rotation": np.zeros((60, 3)), "translation": np.zeros((60, 3)), "gaze": np.zeros((60, 2))}
    slower = films.at_rate(FaceTrack(30.0, **curves, **spatial), 25.0)
    assert len(slower) == 50
    assert slower.rotation.shape == (50, 3)
    np.testing.assert_allclose(slower.opening, np.sin(np.arange(50) / 25), atol=1e-3)


def test_our_clips_are_there_to_be_spoken():
    assert [piece.name for piece in our_clips()] == [clip.name for clip in clips()]
