"""The rasteriser: exact, without gaps, indifferent to order, safe at the frame's edge."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from generator.render.kernels import deform, rasterise_uv

WIDTH, HEIGHT = 48, 40
NOTHING = -100
QUAD = ((0, 1, 2), (0, 2, 3))

Float32 = NDArray[np.float32]


def raster(
    screen: list[tuple[float, ...]] | Float32,
    uv: list[tuple[float, float]] | Float32,
    *triangles: tuple[int, ...],
) -> tuple[Float32, Float32]:
    depth = np.empty((HEIGHT, WIDTH), np.float32)
    map_x, map_y = np.empty_like(depth), np.empty_like(depth)
    indices = np.array(triangles, np.int32).reshape(-1, 3)
    rasterise_uv(np.array(screen, np.float32), np.array(uv, np.float32), indices, depth, map_x, map_y)
    return map_x, map_y


def flat(depth: float, corners: tuple[tuple[float, float], ...] | None = None) -> list[tuple[float, ...]]:
    """A quad that covers the frame, at one depth."""
    corners = corners or ((-2, -2), (WIDTH + 2, -2), (WIDTH + 2, HEIGHT + 2), (-2, HEIGHT + 2))
    return [(*corner, depth) for corner in corners]


def covered(map_x: Float32) -> NDArray[np.bool_]:
    return map_x > NOTHING


def test_a_quad_where_it_was_maps_every_pixel_to_itself():
    screen = flat(0)
    map_x, map_y = raster(screen, [corner[:2] for corner in screen], *QUAD)
    rows, columns = np.indices((HEIGHT, WIDTH))
    np.testing.assert_allclose(map_x, columns, atol=1e-4)
    np.testing.assert_allclose(map_y, rows, atol=1e-4)


def test_a_shifted_quad_shows_the_source_where_it_came_from():
    source = flat(0)
    moved = [(x + 7, y - 3, z) for x, y, z in source]
    map_x, map_y = raster(moved, [corner[:2] for corner in source], *QUAD)
    inside = covered(map_x)
    rows, columns = np.indices((HEIGHT, WIDTH))
    np.testing.assert_allclose(map_x[inside], (columns - 7)[inside], atol=1e-4)
    np.testing.assert_allclose(map_y[inside], (rows + 3)[inside], atol=1e-4)
    assert not inside[:, :4].any()
    assert inside[: HEIGHT - 2, 6:].all()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("turned", [False, True], ids=["counterclockwise", "clockwise"])
def test_the_nearer_triangle_wins_whatever_the_order(order: tuple[int, int], turned: bool):
    far, near = flat(-5), flat(5)
    uv = [(1.0, 1.0)] * 4 + [(2.0, 2.0)] * 4
    layers = [[QUAD[0], QUAD[1]], [(4, 5, 6), (4, 6, 7)]]
    triangles = [t[::-1] if turned else t for k in order for t in layers[k]]
    map_x, _ = raster(far + near, uv, *triangles)
    assert (map_x == 2).all()


def test_triangles_that_cross_are_cut_where_they_meet():
    left_near = [(-2, -2, 10), (WIDTH + 2, -2, -10), (WIDTH + 2, HEIGHT + 2, -10), (-2, HEIGHT + 2, 10)]
    map_x, _ = raster(left_near + flat(0), [(1.0, 0.0)] * 4 + [(2.0, 0.0)] * 4, *QUAD, (4, 5, 6), (4, 6, 7))
    assert (map_x[:, : WIDTH // 2 - 1] == 1).all()
    assert (map_x[:, WIDTH // 2 + 1 :] == 2).all()


@st.composite
def convex_quads(draw: st.DrawFn) -> NDArray[np.float64]:
    """(4, 2) corners on an ellipse anywhere around the frame, in either sense of turning."""
    gaps = np.array([draw(st.floats(0.15, 1)) for _ in range(4)])
    angles = draw(st.floats(0, 7)) + np.cumsum(gaps) / gaps.sum() * 2 * np.pi
    middle = draw(st.floats(-10, WIDTH + 10)), draw(st.floats(-10, HEIGHT + 10))
    radii = draw(st.floats(2, 70)), draw(st.floats(2, 70))
    corners = np.array(middle) + np.column_stack([np.cos(angles), np.sin(angles)]) * radii
    return corners if draw(st.booleans()) else corners[::-1].copy()


@given(convex_quads())
def test_triangles_that_share_an_edge_leave_no_gap(corners: NDArray[np.float64]):
    """Whatever lies well inside a convex quad is covered by the two triangles it is cut into."""
    edges = np.roll(corners, -1, 0) - corners
    sense = np.sign(edges[0, 0] * edges[1, 1] - edges[0, 1] * edges[1, 0])
    map_x, _ = raster([(*corner, 0) for corner in corners.tolist()], corners, *QUAD)
    rows, columns = np.indices((HEIGHT, WIDTH))
    pixels = np.stack([columns, rows], -1)
    outwards = sense * np.stack([edges[:, 1], -edges[:, 0]], -1)
    outwards /= np.linalg.norm(outwards, axis=1, keepdims=True)
    outside = ((pixels[:, :, None] - corners) * outwards).sum(-1).max(-1)
    assert covered(map_x)[outside < -0.01].all()
    assert not covered(map_x)[outside > 0.5].any()


@given(st.integers(0, 2**32 - 1))
def test_a_shaken_grid_leaves_no_gap(seed: int):
    rng = np.random.default_rng(seed)
    columns, rows = np.meshgrid(np.linspace(-6, WIDTH + 5, 9), np.linspace(-6, HEIGHT + 5, 8))
    xy = np.stack([columns, rows], -1)
    xy[1:-1, 1:-1] += rng.uniform(-2.4, 2.4, xy[1:-1, 1:-1].shape)
    index = np.arange(72).reshape(8, 9)
    corners = index[:-1, :-1].ravel(), index[:-1, 1:].ravel(), index[1:, 1:].ravel(), index[1:, :-1].ravel()
    triangles = np.vstack([np.stack(corners[:3], 1), np.stack([corners[0], corners[2], corners[3]], 1)])
    flat_xy = xy.reshape(-1, 2)
    map_x, map_y = raster(np.column_stack([flat_xy, rng.normal(size=72)]), flat_xy, *map(tuple, triangles))
    rows, columns = np.indices((HEIGHT, WIDTH))
    np.testing.assert_allclose(map_x, columns, atol=2e-3)
    np.testing.assert_allclose(map_y, rows, atol=2e-3)


@pytest.mark.parametrize(
    "corners",
    [
        ((5, 5), (5, 5), (5, 5)),
        ((5, 5), (20, 20), (35, 35)),
        ((3, 9), (30, 9), (12, 9)),
    ],
    ids=["point", "diagonal line", "level line"],
)
def test_triangles_without_area_draw_nothing(corners: tuple[tuple[float, float], ...]):
    map_x, map_y = raster([(*corner, 0) for corner in corners], [(0.0, 0.0)] * 3, (0, 1, 2))
    assert (map_x == NOTHING).all()
    assert (map_y == NOTHING).all()


@given(st.lists(st.tuples(*[st.floats(-1e5, 1e5, width=32)] * 3), min_size=3, max_size=9))
def test_no_triangle_however_far_off_writes_outside_the_frame(vertices: list[tuple[float, float, float]]):
    guard = np.full((HEIGHT + 4, WIDTH), 7, np.float32)
    inner = guard[2:-2]
    depth, map_y = np.empty((HEIGHT, WIDTH), np.float32), np.empty((HEIGHT, WIDTH), np.float32)
    triangles = np.arange(len(vertices) // 3 * 3, dtype=np.int32).reshape(-1, 3)
    screen = np.array(vertices, np.float32)
    rasterise_uv(screen, np.zeros((len(vertices), 2), np.float32), triangles, depth, inner, map_y)
    assert (guard[:2] == 7).all()
    assert (guard[-2:] == 7).all()
    assert set(np.unique(inner)) <= {np.float32(0), np.float32(NOTHING)}


def test_triangles_beyond_the_frame_draw_nothing():
    map_x, _ = raster([(-30, 5, 0), (-5, 5, 0), (-5, 30, 0)], [(0.0, 0.0)] * 3, (0, 1, 2))
    assert (map_x == NOTHING).all()


def deformed(
    displacement: Float32 | None = None,
    head_weight: tuple[float, float] = (1, 1),
    shift: tuple[float, float, float] = (0, 0, 0),
    focal_px: float = 1e9,
) -> Float32:
    """One face vertex at (10, 20, 5) and one outer vertex at (30, 40, -5) that follows it by a half."""
    points = np.array([[10, 20, 5], [30, 40, -5]], np.float32)
    out = np.empty((2, 3), np.float32)
    deform(
        points,
        np.zeros((1, 3), np.float32) if displacement is None else displacement,
        np.zeros((1, 1), np.int32),
        np.full((1, 1), 0.5, np.float32),
        np.array(head_weight, np.float32),
        points,
        np.eye(3, dtype=np.float32),
        np.array(shift, np.float32),
        np.zeros(3, np.float32),
        np.float32(focal_px),
        out,
    )
    return out


def test_a_head_at_rest_stays_where_it_was_with_y_turned_down():
    np.testing.assert_array_equal(deformed(), [[10, -20, 5], [30, -40, -5]])


def test_outer_vertices_follow_the_faces_outline_by_their_weight():
    np.testing.assert_allclose(
        deformed(displacement=np.array([[4, 2, 1]], np.float32)), [[14, -22, 6], [32, -41, -4.5]]
    )


def test_the_body_stays_while_the_head_moves():
    np.testing.assert_allclose(deformed(head_weight=(1, 0), shift=(3, 4, 0)), [[13, -24, 5], [30, -40, -5]])


def test_what_comes_nearer_grows():
    np.testing.assert_allclose(
        deformed(shift=(0, 0, 100), focal_px=1000), [[11, -22, 105], [33, -44, 95]], rtol=1e-6
    )
