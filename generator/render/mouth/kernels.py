"""Compiled loops of the mouth: move and light the vertices, rasterise them, blend them under the lips.

All are single-threaded and write into arrays that the caller owns.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, fastmath=True)
def move_vertices(rest, jaw, blade, angle, shift, condyle, lift, out):  # type: ignore[no-untyped-def]
    """Carry vertices (N, 3) along with the jaw (``angle`` rad about ``condyle``, then ``shift``) by their
    share ``jaw`` (N,), and raise those of the tongue's ``blade`` (N,) by ``lift`` (3,); all lengths in cm."""
    c = np.cos(angle)
    s = np.sin(angle)
    for i in range(rest.shape[0]):
        y = rest[i, 1] - condyle[1]
        z = rest[i, 2] - condyle[2]
        share = jaw[i]
        out[i, 0] = rest[i, 0] + share * shift[0] + blade[i] * lift[0]
        out[i, 1] = rest[i, 1] + share * (c * y - s * z - y + shift[1]) + blade[i] * lift[1]
        out[i, 2] = rest[i, 2] + share * (s * y + c * z - z + shift[2]) + blade[i] * lift[2]


@njit(cache=True, fastmath=True)
def light_vertices(  # type: ignore[no-untyped-def]
    points, normals, colours, jaw, wet, angle, light, half, aperture, lip_y, bounce, gleam, out
):
    """Light vertices (N, 3) (mouth coordinates, cm) with what enters through the lips.

    Lambert under a light from ``light``, times how much of the opening (``aperture``, cm^2) is seen at the
    vertex's depth, times a soft shadow of the upper lip whose edge lies at ``lip_y``; plus a wet highlight
    around ``half``. ``bounce`` (3,) tints what light reaches only by way of tissue.
    """
    c = np.cos(angle)
    s = np.sin(angle)
    slope = light[1] / light[2]
    for i in range(points.shape[0]):
        share = jaw[i]
        ny = normals[i, 1]
        nz = normals[i, 2]
        y = ny + share * (c * ny - s * nz - ny)
        z = nz + share * (s * ny + c * nz - nz)
        depth = max(-points[i, 2] - 0.5, 0.0)
        seen = 0.30 + 0.70 / (1.0 + 1.0 * depth * depth / (aperture + 1.2))
        lambert = 0.5 + 0.5 * (normals[i, 0] * light[0] + y * light[1] + z * light[2])
        lambert = max(lambert, 0.0)
        lambert *= lambert
        t = (points[i, 1] - (lip_y - slope * (depth + 0.35)) + 0.35) * 1.1
        t = min(max(t, 0.0), 1.0)
        shade = 1.0 - 0.28 * t * t * (3.0 - 2.0 * t)
        lit = (0.28 + 0.80 * lambert) * seen * shade
        warm = max(1.0 - lit, 0.0)
        g = max(normals[i, 0] * half[0] + y * half[1] + z * half[2], 0.0)
        g = g * g
        g = g * g
        g = g * g
        g = g * g
        g = g * g * wet[i] * seen * shade
        out[i, 0] = colours[i, 0] * lit * (1.0 + warm * (bounce[0] - 1.0)) + gleam[0] * g
        out[i, 1] = colours[i, 1] * lit * (1.0 + warm * (bounce[1] - 1.0)) + gleam[1] * g
        out[i, 2] = colours[i, 2] * lit * (1.0 + warm * (bounce[2] - 1.0)) + gleam[2] * g


@njit(cache=True, fastmath=True)
def rasterise(screen, colours, triangles, scale, left, top, mask, backdrop, depth, image):  # type: ignore[no-untyped-def]
    """Draw triangles over ``backdrop`` (3,) into ``image`` (h, w, 3), with ``depth`` (h, w) as the z-buffer.

    ``screen`` (N, 3) float32 holds frame pixels and depth (larger is nearer); the image shows the frame from
    pixel ``left``, ``top`` on, ``scale`` times enlarged, which is written back to ``screen``. Rows are drawn
    only between the first and the last pixel where ``mask`` (h / scale, w / scale) is set; the rest of the
    image stays as it was. Triangles that turn away are skipped.
    """
    height, width = depth.shape
    first = np.empty(height, np.int64)
    last = np.empty(height, np.int64)
    for y in range(mask.shape[0]):
        enter, leave = width, -1
        for x in range(mask.shape[1]):
            if mask[y, x] > 0:
                enter = min(enter, x * scale)
                leave = x * scale + scale - 1
        for row in range(y * scale, y * scale + scale):
            first[row] = enter
            last[row] = leave
            for x in range(enter, leave + 1):
                depth[row, x] = np.float32(-1e30)
                for n in range(3):
                    image[row, x, n] = backdrop[n]
    one, half, seam = np.float32(1.0), np.float32(0.5), np.float32(-1e-4)
    for i in range(screen.shape[0]):
        screen[i, 0] = (screen[i, 0] - left + half) * scale - half
        screen[i, 1] = (screen[i, 1] - top + half) * scale - half
    right, bottom = np.float32(width - 1), np.float32(height - 1)
    for k in range(triangles.shape[0]):
        a, b, c = triangles[k, 0], triangles[k, 1], triangles[k, 2]
        ax, ay = screen[a, 0], screen[a, 1]
        bx, by = screen[b, 0], screen[b, 1]
        cx, cy = screen[c, 0], screen[c, 1]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area > np.float32(-1e-6):
            continue
        low_x, high_x = min(ax, bx, cx), max(ax, bx, cx)
        low_y, high_y = min(ay, by, cy), max(ay, by, cy)
        if high_x < 0 or high_y < 0 or low_x > right or low_y > bottom:
            continue
        x0, x1 = int(max(low_x, np.float32(0)) + np.float32(0.999)), int(min(high_x, right))
        y0, y1 = int(max(low_y, np.float32(0)) + np.float32(0.999)), int(min(high_y, bottom))
        if x0 > x1 or y0 > y1:
            continue
        inverse = one / area
        az, bz, cz = screen[a, 2], screen[b, 2], screen[c, 2]
        u_x, v_x = (by - cy) * inverse, (cy - ay) * inverse
        w_x = -u_x - v_x
        for y in range(y0, y1 + 1):
            line = np.float32(y)
            start, stop = max(x0, first[y]), min(x1, last[y])
            if start > stop:
                continue
            u = ((bx - start) * (cy - line) - (by - line) * (cx - start)) * inverse
            v = ((cx - start) * (ay - line) - (cy - line) * (ax - start)) * inverse
            w = one - u - v
            for x in range(start, stop + 1):
                if u >= seam and v >= seam and w >= seam:
                    z = u * az + v * bz + w * cz
                    if z > depth[y, x]:
                        depth[y, x] = z
                        image[y, x, 0] = u * colours[a, 0] + v * colours[b, 0] + w * colours[c, 0]
                        image[y, x, 1] = u * colours[a, 1] + v * colours[b, 1] + w * colours[c, 1]
                        image[y, x, 2] = u * colours[a, 2] + v * colours[b, 2] + w * colours[c, 2]
                elif (u < seam and u_x <= 0) or (v < seam and v_x <= 0) or (w < seam and w_x <= 0):
                    break
                u += u_x
                v += v_x
                w += w_x


@njit(cache=True, fastmath=True)
def blend(  # type: ignore[no-untyped-def]
    image, mask, inset, upper, lower, grain, grain_level, lip, rim, shadow, opacity, frame
):
    """Average ``image`` (2h, 2w, 3) down to the box ``frame`` (h, w, 3) uint8 and lay it under the lips.

    ``mask`` (h, w) uint8 is the opening, ``inset`` (h, w) float32 the distance to its edge in pixels,
    ``upper`` and ``lower`` (w,) the rows of the lip edges, ``grain`` (h, w) unit noise. ``rim`` and
    ``shadow`` are the reach in pixels of the inner lip that shows round the edge and of the upper
    lip's contact shadow.
    """
    height, width = mask.shape
    for y in range(height):
        for x in range(width):
            if mask[y, x] == 0:
                continue
            alpha = mask[y, x] * (opacity / 255.0)
            below = max(y - upper[x], 0.0)
            above = max(lower[x] - y, 0.0)
            depth = below / (below + above + 1e-3)
            t = below / shadow
            dark = 1.0 - 0.42 / (1.0 + t * t)
            t = inset[y, x] / (2.2 * rim)
            dark *= 1.0 - 0.35 / (1.0 + t * t)
            edge = max(1.0 - inset[y, x] / rim, 0.0)
            edge = edge * edge * 0.85
            roll = 0.34 + 0.42 * depth
            noise = grain[y, x] * grain_level
            for n in range(3):
                value = 0.25 * (
                    image[2 * y, 2 * x, n]
                    + image[2 * y, 2 * x + 1, n]
                    + image[2 * y + 1, 2 * x, n]
                    + image[2 * y + 1, 2 * x + 1, n]
                )
                value = value * dark
                value += (lip[n] * roll - value) * edge
                value += noise * (0.3 + 0.7 * min(value * (1.0 / 160.0), 1.0))
                value = frame[y, x, n] + (value - frame[y, x, n]) * alpha
                frame[y, x, n] = np.uint8(min(max(value + 0.5, 0.0), 255.0))
