"""The inner loops of a frame: move the vertices, and rasterise which source pixel each pixel shows."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]

BACKGROUND_DEPTH = np.float32(-1e30)


@njit(cache=True, fastmath=True, nogil=True)
def deform(
    points: Float32,
    displacement: Float32,
    ring_index: Int32,
    ring_weight: Float32,
    head_weight: Float32,
    rest: Float32,
    head_to_view: Float32,
    shift: Float32,
    centre: Float32,
    focal_px: np.float32,
    out: Float32,
) -> None:
    """Place every vertex of the mesh in the frame.

    Face vertices take their own displacement; the others a weighted mean of the face oval's. A vertex moves
    with the head by its weight and stays with the body by the rest; a mild perspective follows its depth.

    Args:
        points: (V, 3) rest positions in head coordinates, cm; the first F belong to the face.
        displacement: (F, 3) expression, cm.
        ring_index, ring_weight: (V - F, K) oval vertices that each outer vertex follows, and how much.
        head_weight: (V,) 1 = head, 0 = body.
        rest: (V, 3) rest positions in view coordinates, px, y up.
        head_to_view: (3, 3) scale times rotation of the posed head.
        shift: (3,) translation of the posed head, px.
        centre: (3,) the head's pivot in view coordinates, about which the perspective opens.
        focal_px: focal length in pixels.
        out: (V, 3) receives x, y (down) in frame pixels and depth (towards the camera positive).
    """
    face_count = displacement.shape[0]
    for v in range(points.shape[0]):
        dx = dy = dz = np.float32(0)
        if v < face_count:
            dx, dy, dz = displacement[v, 0], displacement[v, 1], displacement[v, 2]
        elif ring_weight[v - face_count, 0] > 0:
            for k in range(ring_index.shape[1]):
                w = ring_weight[v - face_count, k]
                i = ring_index[v - face_count, k]
                dx += w * displacement[i, 0]
                dy += w * displacement[i, 1]
                dz += w * displacement[i, 2]
        hx, hy, hz = points[v, 0] + dx, points[v, 1] + dy, points[v, 2] + dz
        px = head_to_view[0, 0] * hx + head_to_view[0, 1] * hy + head_to_view[0, 2] * hz + shift[0]
        py = head_to_view[1, 0] * hx + head_to_view[1, 1] * hy + head_to_view[1, 2] * hz + shift[1]
        pz = head_to_view[2, 0] * hx + head_to_view[2, 1] * hy + head_to_view[2, 2] * hz + shift[2]
        w = head_weight[v]
        x = rest[v, 0] + (px - rest[v, 0]) * w
        y = rest[v, 1] + (py - rest[v, 1]) * w
        z = rest[v, 2] + (pz - rest[v, 2]) * w
        k_view = 1 + (z - rest[v, 2]) / focal_px
        out[v, 0] = centre[0] + (x - centre[0]) * k_view
        out[v, 1] = -(centre[1] + (y - centre[1]) * k_view)
        out[v, 2] = z


@njit(cache=True, fastmath=True, nogil=True)
def rasterise_uv(
    screen: Float32, uv: Float32, triangles: Int32, depth: Float32, map_x: Float32, map_y: Float32
) -> None:
    """Fill ``map_x`` and ``map_y`` (H, W) with the source pixel that each frame pixel shows.

    Args:
        screen: (V, 3) vertex x, y in frame pixels and depth; the nearest (largest) depth wins.
        uv: (V, 2) vertex positions in the source, px.
        triangles: (T, 3) vertex indices.
        depth: (H, W) scratch.
    """
    height, width = depth.shape
    eps = np.float32(1e-3)
    depth[:] = BACKGROUND_DEPTH
    map_x[:] = -100
    map_y[:] = -100
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax, ay, bx, by, cx, cy = (
            screen[a, 0], screen[a, 1], screen[b, 0], screen[b, 1], screen[c, 0], screen[c, 1]
        )  # fmt: skip
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if abs(area) < 1e-6:
            continue
        x0 = max(int(np.ceil(min(ax, bx, cx) - eps)), 0)
        x1 = min(int(np.floor(max(ax, bx, cx) + eps)), width - 1)
        y0 = max(int(np.ceil(min(ay, by, cy) - eps)), 0)
        y1 = min(int(np.floor(max(ay, by, cy) + eps)), height - 1)
        if x0 > x1 or y0 > y1:
            continue
        inverse = np.float32(1) / area
        w0dx, w0dy = (by - cy) * inverse, (cx - bx) * inverse
        w1dx, w1dy = (cy - ay) * inverse, (ax - cx) * inverse
        w2dx = -w0dx - w1dx
        za, zb, zc = screen[a, 2], screen[b, 2], screen[c, 2]
        ua, ub, uc = uv[a, 0], uv[b, 0], uv[c, 0]
        va, vb, vc = uv[a, 1], uv[b, 1], uv[c, 1]
        zdx = w0dx * (za - zc) + w1dx * (zb - zc)
        udx = w0dx * (ua - uc) + w1dx * (ub - uc)
        vdx = w0dx * (va - vc) + w1dx * (vb - vc)
        for y in range(y0, y1 + 1):
            r0 = w0dx * (x0 - cx) + w0dy * (y - cy)
            r1 = w1dx * (x0 - cx) + w1dy * (y - cy)
            r2 = 1 - r0 - r1
            low, high = np.float32(0), np.float32(x1 - x0)
            for r, d in ((r0, w0dx), (r1, w1dx), (r2, w2dx)):
                if d > 1e-9:
                    low = max(low, (-eps - r) / d)
                elif d < -1e-9:
                    high = min(high, (-eps - r) / d)
                elif r < -eps:
                    high = np.float32(-1)
            first, last = int(np.ceil(low)), int(np.floor(high))
            z = r0 * za + r1 * zb + r2 * zc
            u = r0 * ua + r1 * ub + r2 * uc
            v = r0 * va + r1 * vb + r2 * vc
            for k in range(first, last + 1):
                zk = z + k * zdx
                if zk > depth[y, x0 + k]:
                    depth[y, x0 + k] = zk
                    map_x[y, x0 + k] = u + k * udx
                    map_y[y, x0 + k] = v + k * vdx
