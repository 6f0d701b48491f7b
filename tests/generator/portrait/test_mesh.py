"""The mesh carries the whole picture: nothing missing, nothing folded, the body left in peace."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from generator.easing import smoothstep
from generator.face import topology
from generator.portrait.mesh import DEPTH_SLOPE, HeadMesh, build_mesh
from generator.portrait.portrait import Portrait
from generator.portrait.pose import Pose, rotation_matrix
from generator.render.kernels import rasterise_uv

FACE = topology.VERTEX_COUNT
NOTHING = -100
BEHIND_PX = 1000.0

Array = NDArray[np.float64]
Float32 = NDArray[np.float32]


@pytest.fixture(scope="module")
def turned_mesh(landmarker) -> Callable[[float, int, int], tuple[HeadMesh, Pose, int, int]]:
    """The canonical face's mesh in a frame of a given size, turned by some yaw."""

    def build(yaw: float, width: int, height: int) -> tuple[HeadMesh, Pose, int, int]:
        canonical, triangles = landmarker.canonical
        pose = Pose(
            0.025 * min(width, height), rotation_matrix(yaw, 0, 0), np.array([width / 2, -0.46 * height, 0.0])
        )
        return build_mesh(canonical, pose, triangles, width, height), pose, width, height

    return build


def of(portrait: Portrait) -> tuple[HeadMesh, Pose, int, int]:
    return portrait.mesh, portrait.pose, *portrait.size


def seen(
    mesh: HeadMesh, pose: Pose, width: int, height: int, values: Array | None = None, triangles=None
) -> tuple[Float32, Float32]:
    """What each pixel of the frame shows at rest: the source pixel, or other (V + D, 2) values."""
    screen = pose.to_view(mesh.points.astype(np.float64)) * (1, -1, 1)
    screen = np.vstack([screen, screen[mesh.interior] - (0, 0, BEHIND_PX)]).astype(np.float32)
    depth = np.empty((height, width), np.float32)
    map_x, map_y = np.empty_like(depth), np.empty_like(depth)
    values = mesh.uv if values is None else np.asarray(values, np.float32)
    triangles = mesh.triangles if triangles is None else np.ascontiguousarray(triangles)
    rasterise_uv(screen, values, triangles, depth, map_x, map_y)
    return map_x, map_y


def head_weight_seen(mesh: HeadMesh, pose: Pose, width: int, height: int) -> Float32:
    weight = np.concatenate([mesh.head_weight, mesh.head_weight[mesh.interior]])
    return seen(mesh, pose, width, height, np.column_stack([weight, weight]))[0]


def assert_shows_the_picture(mesh: HeadMesh, pose: Pose, width: int, height: int) -> None:
    map_x, map_y = seen(mesh, pose, width, height)
    rows, columns = np.indices((height, width))
    assert not (map_x == NOTHING).any(), "holes"
    np.testing.assert_allclose(map_x, columns, atol=0.01)
    np.testing.assert_allclose(map_y, rows, atol=0.01)


def test_at_rest_every_pixel_shows_itself(sitting: Portrait):
    assert_shows_the_picture(*of(sitting))


@pytest.mark.parametrize("yaw", [-40, -15, 0, 15, 40])
@pytest.mark.parametrize(("width", "height"), [(256, 256), (192, 256), (256, 144)])
def test_at_rest_every_pixel_shows_itself_in_any_view_and_frame(
    turned_mesh, yaw: float, width: int, height: int
):
    assert_shows_the_picture(*turned_mesh(yaw, width, height))


def test_the_face_belongs_to_the_head_and_the_frames_edges_to_the_body(sitting: Portrait):
    weight = head_weight_seen(*of(sitting))
    mesh, (width, height) = sitting.mesh, sitting.size
    assert (mesh.head_weight[:FACE] == 1).all()
    assert ((mesh.head_weight >= 0) & (mesh.head_weight <= 1)).all()
    assert weight[:, 0].max() <= 0.08
    assert weight[:, -1].max() <= 0.08
    assert weight[0].max() <= 0.08
    assert weight[-1].max() < 0.01
    shoulders = weight[int(0.92 * height) :]
    assert shoulders[:, : width // 4].max() < 0.03
    assert shoulders[:, -width // 4 :].max() < 0.03


def test_nothing_beyond_the_frame_moves_with_the_head(sitting: Portrait):
    mesh, (width, height) = sitting.mesh, sitting.size
    x, y = mesh.uv[FACE : len(mesh.points)].T
    margin = 0.02 * max(width, height)
    beyond = (x < -margin) | (x > width + margin) | (y < -margin)
    assert beyond.any()
    assert mesh.head_weight[FACE:][beyond].max() == 0


def test_the_head_lets_go_of_the_neck_gradually(sitting: Portrait):
    weight = head_weight_seen(*of(sitting))
    chin = sitting.landmarks[topology.CHIN, :2]
    down = weight[int(chin[1]) :, int(chin[0])]
    assert down[0] > 0.9
    assert down[-1] < 0.01
    assert (np.diff(down) <= 1e-3).all()
    assert -np.diff(down).min() < 0.03


def test_depth_slopes_gently_away_from_the_face(sitting: Portrait):
    """The limit itself, but for the smoothing along the face's outline."""
    mesh, pose, _, _ = of(sitting)
    depth = pose.to_view(mesh.points.astype(np.float64))[:, 2]
    edges = np.vstack([mesh.triangles[:, pair] for pair in ([0, 1], [1, 2], [0, 2])])
    edges = edges[(edges < len(mesh.points)).all(1)]
    apart = np.linalg.norm(mesh.uv[edges[:, 0]] - mesh.uv[edges[:, 1]], axis=1)
    steep = np.abs(depth[edges[:, 0]] - depth[edges[:, 1]]) / np.maximum(apart, 0.5)
    away = (edges >= FACE).all(1)
    assert steep[away].max() <= DEPTH_SLOPE * 1.02
    assert (steep <= DEPTH_SLOPE * 1.02).mean() > 0.97
    assert steep.max() <= DEPTH_SLOPE * 1.7


def overlap(mesh: HeadMesh, pose: Pose, width: int, height: int) -> float:
    """Share of the face's pixels on which the outer grid lies as well."""
    outer = (mesh.triangles >= FACE).any(1) & (mesh.triangles < len(mesh.points)).all(1)
    on_outer = seen(mesh, pose, width, height, triangles=mesh.triangles[outer])[0] > NOTHING
    on_face = seen(mesh, pose, width, height, triangles=mesh.triangles[~outer])[0] > NOTHING
    return float((on_outer & on_face).sum() / on_face.sum())


def test_the_outer_grid_keeps_clear_of_a_face_seen_from_the_front(turned_mesh):
    assert overlap(*turned_mesh(0, 512, 512)) < 0.001


def test_the_outer_grid_touches_a_sitters_face_along_the_inset_outline_only(sitting: Portrait):
    assert overlap(*of(sitting)) < 0.06


def test_eye_and_mouth_fillers_hang_on_their_own_copies_of_the_rims(sitting: Portrait, landmarker):
    mesh = sitting.mesh
    count = len(mesh.points)
    rims = {
        *topology.INNER_LIP_UPPER,
        *topology.INNER_LIP_LOWER,
        *topology.RIGHT_EYE_UPPER,
        *topology.RIGHT_EYE_LOWER,
        *topology.LEFT_EYE_UPPER,
        *topology.LEFT_EYE_LOWER,
    }
    assert set(mesh.interior.tolist()) == rims
    np.testing.assert_array_equal(mesh.uv[count:], mesh.uv[mesh.interior])
    filler = (mesh.triangles >= count).any(1)
    assert (mesh.triangles[filler] >= count).all()
    assert mesh.triangles[filler].max() < count + len(mesh.interior)
    original = np.concatenate([np.arange(count), mesh.interior])[mesh.triangles]
    face = original[(original < FACE).all(1)]
    canonical = {tuple(sorted(t)) for t in landmarker.canonical[1].tolist()}
    assert canonical <= {tuple(sorted(t)) for t in face.tolist()}


def test_skin_near_the_face_follows_its_outline_and_further_out_it_rests(sitting: Portrait):
    mesh = sitting.mesh
    outer = mesh.uv[FACE : len(mesh.points)]
    oval = mesh.uv[list(topology.FACE_OVAL)]
    width = np.linalg.norm(mesh.uv[topology.RIGHT_CHEEK] - mesh.uv[topology.LEFT_CHEEK])
    away = np.linalg.norm(outer[:, None] - oval, axis=2).min(1) / width
    followed = mesh.ring_weight.sum(1)
    assert set(np.unique(mesh.ring_index)) <= set(topology.FACE_OVAL)
    assert (mesh.ring_weight >= 0).all()
    assert followed.max() <= 1
    assert followed[away < 0.05].min() > 0.8
    assert followed[away > 0.55].max() == 0


def test_smoothstep_rises_from_0_to_1_with_level_ends():
    rise = smoothstep(2, 4, np.array([-9, 2, 2.01, 3, 3.99, 4, 9]))
    np.testing.assert_allclose(rise, [0, 0, 0, 0.5, 1, 1, 1], atol=1e-4)
