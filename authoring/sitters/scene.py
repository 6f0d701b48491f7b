"""Thin helpers over Blender's Python module: meshes, curves and nearest-point queries.

One Blender unit is 10 cm; FaceKit (x, y, z) cm becomes Blender (x, -z, y) / 10.
"""

from __future__ import annotations

import bpy
import numpy as np
from head import Array, FaceKit
from mathutils import Vector
from mathutils.bvhtree import BVHTree
from numpy.typing import NDArray

UNIT_CM = 10.0
Colour = tuple[float, float, float]


def to_blender(points: Array) -> Array:
    return np.stack([points[..., 0], -points[..., 2], points[..., 1]], -1) / UNIT_CM


def to_facekit(points: Array) -> Array:
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], -1) * UNIT_CM


def reset() -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)


def link(name: str, data: bpy.types.ID, material: bpy.types.Material | None = None) -> bpy.types.Object:
    thing = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(thing)
    if material is not None:
        data.materials.append(material)
    return thing


def mesh(
    name: str,
    points: Array,
    faces: list[list[int]],
    material: bpy.types.Material | None = None,
    subdivide: int = 0,
    thickness_cm: float = 0.0,
) -> bpy.types.Object:
    """A smooth-shaded mesh; `points` are FaceKit centimetres."""
    data = bpy.data.meshes.new(name)
    data.from_pydata(to_blender(points).tolist(), [], faces)
    data.polygons.foreach_set("use_smooth", [True] * len(faces))
    data.update()
    thing = link(name, data, material)
    if thickness_cm:
        solid = thing.modifiers.new("thickness", "SOLIDIFY")
        solid.thickness, solid.offset = thickness_cm / UNIT_CM, 0.0
    if subdivide:
        smooth = thing.modifiers.new("subdivide", "SUBSURF")
        smooth.levels = smooth.render_levels = subdivide
    return thing


def part_mesh(
    name: str,
    kit: FaceKit,
    vertices: Array,
    parts: tuple[str, ...],
    material: bpy.types.Material | None = None,
    subdivide: int = 0,
    keep: NDArray[np.bool_] | None = None,
) -> bpy.types.Object:
    """Some parts of the head as one mesh, subdivided for good so that vertices can be coloured."""
    mask = kit.vertex_mask(parts)
    if keep is not None:
        mask &= keep
    used = mask[kit.faces] | (kit.faces < 0)
    renumber = np.cumsum(mask) - 1
    faces = [[int(renumber[v]) for v in face if v >= 0] for face in kit.faces[used.all(1)]]
    rough = mesh(name, vertices[mask], faces, None, subdivide)
    baked = bake(rough)
    return link(name, baked, material)


def grid_mesh(
    name: str,
    points: Array,
    material: bpy.types.Material | None = None,
    subdivide: int = 1,
    thickness_cm: float = 0.0,
    closed: bool = False,
) -> bpy.types.Object:
    """A sheet from points (rows, columns, 3) cm; `closed` joins the last column to the first."""
    rows, columns = points.shape[:2]
    index = np.arange(rows * columns).reshape(rows, columns)
    if closed:
        index = np.concatenate([index, index[:, :1]], 1)
    quads = np.stack([index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]], -1)
    return mesh(name, points.reshape(-1, 3), quads.reshape(-1, 4).tolist(), material, subdivide, thickness_cm)


def bake(thing: bpy.types.Object) -> bpy.types.Mesh:
    """Apply the modifiers, remove the object and return its mesh."""
    graph = bpy.context.evaluated_depsgraph_get()
    data = bpy.data.meshes.new_from_object(thing.evaluated_get(graph))
    bpy.data.objects.remove(thing)
    data.polygons.foreach_set("use_smooth", [True] * len(data.polygons))
    return data


def mesh_points(data: bpy.types.Mesh) -> Array:
    flat = np.empty(len(data.vertices) * 3)
    data.vertices.foreach_get("co", flat)
    return to_facekit(flat.reshape(-1, 3))


def set_mesh_points(data: bpy.types.Mesh, points: Array) -> None:
    data.vertices.foreach_set("co", to_blender(points).ravel())
    data.update()


def surface(*meshes: bpy.types.Mesh) -> BVHTree:
    """A nearest-point tree over meshes, in Blender units."""
    points: list[list[float]] = []
    faces: list[list[int]] = []
    for data in meshes:
        start = len(points)
        points += to_blender(mesh_points(data)).tolist()
        faces += [[v + start for v in polygon.vertices] for polygon in data.polygons]
    return BVHTree.FromPolygons(points, faces)


def nearest(tree: BVHTree, point_cm: Array) -> tuple[Array, Array]:
    """Nearest surface point (cm) and outward normal."""
    hit, normal, _, _ = tree.find_nearest(Vector(to_blender(point_cm)))
    return to_facekit(np.array(hit)), to_facekit(np.array(normal)) / UNIT_CM


def cast(tree: BVHTree, origin_cm: Array, towards_cm: Array) -> tuple[Array, Array]:
    """Where a ray from `origin_cm` through `towards_cm` meets the surface (cm), and the normal there."""
    start = Vector(to_blender(origin_cm))
    hit, normal, _, _ = tree.ray_cast(start, (Vector(to_blender(towards_cm)) - start).normalized())
    if hit is None:
        return nearest(tree, origin_cm)
    return to_facekit(np.array(hit)), to_facekit(np.array(normal)) / UNIT_CM


def strands(
    name: str, lines: list[Array], radii_cm: list[Array], material: bpy.types.Material
) -> bpy.types.Object:
    data = bpy.data.hair_curves.new(name)
    data.add_curves([len(line) for line in lines])
    positions = to_blender(np.concatenate(lines)).astype(np.float32)
    data.attributes["position"].data.foreach_set("vector", positions.ravel())
    radius = data.attributes.get("radius") or data.attributes.new("radius", "FLOAT", "POINT")
    radius.data.foreach_set("value", (np.concatenate(radii_cm) / UNIT_CM).astype(np.float32))
    return link(name, data, material)


def tube(name: str, line: Array, radius_cm: float, material: bpy.types.Material) -> bpy.types.Object:
    data = bpy.data.curves.new(name, "CURVE")
    data.dimensions, data.bevel_depth, data.bevel_resolution = "3D", radius_cm / UNIT_CM, 4
    spline = data.splines.new("POLY")
    spline.points.add(len(line) - 1)
    spline.points.foreach_set("co", np.c_[to_blender(line), np.ones(len(line))].astype(np.float32).ravel())
    return link(name, data, material)


def spheres(name: str, centres: Array, radii_cm: Array, material: bpy.types.Material) -> None:
    for centre, radius in zip(centres, radii_cm, strict=True):
        bpy.ops.mesh.primitive_uv_sphere_add(
            segments=24, ring_count=16, radius=radius / UNIT_CM, location=to_blender(centre)
        )
        ball = bpy.context.object
        ball.name = name
        ball.data.polygons.foreach_set("use_smooth", [True] * len(ball.data.polygons))
        ball.data.materials.append(material)
