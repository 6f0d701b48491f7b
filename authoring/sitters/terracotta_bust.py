"""Model, fire and light the terracotta bust: python terracotta_bust.py FACEKIT.npz OUT.jpg"""

from __future__ import annotations

import argparse
from pathlib import Path

import bpy
import dress
import features
import ground
import hair
import materials
import numpy as np
import paint
import scene
import studio
from head import (
    SKIN_PARTS,
    SKIN_VERTICES,
    Array,
    FaceKit,
    Likeness,
    push_out,
    scalp_weight,
    sculpt,
    smoothstep,
    turn_body,
)
from skin import brow_line, outline

SITTER = Likeness(
    seed=2,
    amplitude=0.50,
    symmetry=0.9,
    expression={
        "mouthSmile_L": 0.26,
        "mouthSmile_R": 0.28,
        "eyeWide_L": 0.12,
        "eyeWide_R": 0.12,
        "cheekSquint_L": 0.08,
        "cheekSquint_R": 0.08,
    },
    eye_size=1.12,
    jaw_width=0.95,
    neck_width=0.86,
    nose_width=0.94,
    nod=2.0,
    body_turn=-12.0,
)
CAMERA = (-0.55, -13.0, 0.48)
TARGET = (-0.02, 0.0, 0.02)
NAPE_CM = 1.5  # locks rooted lower would hang loose behind the ears
VOXEL_CM = 0.070


def clay() -> bpy.types.Material:
    """Fired earth: warm, matt, faintly mottled, with the grain of the tool."""
    made = materials.material("terracotta", (0.55, 0.25, 0.145), Roughness=0.68, Specular_IOR_Level=0.28)
    tree = made.node_tree
    place, noise = tree.nodes.new("ShaderNodeTexCoord"), tree.nodes.new("ShaderNodeTexNoise")
    noise.inputs["Scale"].default_value, noise.inputs["Detail"].default_value = 1.6, 9.0
    noise.inputs["Distortion"].default_value = 1.2
    ramp = tree.nodes.new("ShaderNodeValToRGB")
    low, high = ramp.color_ramp.elements
    low.position, low.color = 0.30, (0.39, 0.150, 0.074, 1)
    high.position, high.color = 0.70, (0.56, 0.250, 0.135, 1)
    tree.links.new(place.outputs["Object"], noise.inputs["Vector"])
    tree.links.new(noise.outputs[0], ramp.inputs["Fac"])
    tree.links.new(ramp.outputs["Color"], materials.principled(made).inputs["Base Color"])
    materials.add_noise_bump(made, [(9.0, 0.16), (60.0, 0.20), (190.0, 0.16)], 0.014)
    return made


def carve_brows(kit: FaceKit, vertices: Array, points: Array) -> Array:
    """Raise each brow as a soft ridge."""
    raised = points.copy()
    front = points[:, 2] > 4.0
    for side in ("L", "R"):
        line = brow_line(vertices[kit.landmarks68], side, 0.55)
        gap = np.linalg.norm(points[front, None, :2] - line[None, :, :2], axis=2)
        nearest, along = gap.min(1), gap.argmin(1) / len(line)
        width = 0.36 - 0.18 * along
        crest = np.exp(-((nearest / width) ** 2)) * smoothstep(-0.05, 0.15, along)
        raised[front, 2] += 0.13 * crest
    return raised


def sharpen_lips(kit: FaceKit, vertices: Array, points: Array) -> Array:
    """A crisp border round the lips, as a modelling tool leaves it."""
    border = outline(vertices[kit.landmarks68][48:60])
    near = (points[:, 2] > 7.0) & (np.abs(points[:, 0]) < 4.0)
    gap = np.full(len(points), 9.0)
    gap[near] = np.linalg.norm(points[near, None] - border[None, ::2], axis=2).min(1)
    raised = points.copy()
    raised[:, 2] += 0.05 * np.exp(-((gap / 0.14) ** 2))
    return raised


def carved_eyes(kit: FaceKit, vertices: Array, made: bpy.types.Material) -> None:
    """Iris as a shallow ring, pupil as a drilled hollow that leaves a bead of light."""
    viewer = scene.to_facekit(np.array(CAMERA))
    for side in ("L", "R"):
        axes = features.eye_axes(kit, vertices, side, viewer)
        ball = scene.part_mesh(f"eye{side}", kit, vertices, (f"sclera{side}",), made, 4)
        points = scene.mesh_points(ball.data)
        across, above, radius = features.eye_plane(points, axes)
        ring = -0.055 * np.exp(-(((radius - 0.64) / 0.06) ** 2))
        hollow = -0.26 * (1 - smoothstep(0.20, 0.40, radius)) - 0.04 * (1 - smoothstep(0.5, 0.64, radius))
        bead = np.exp(-(((across + 0.13) / 0.13) ** 2) - ((above - 0.16) / 0.13) ** 2)
        depth = ring + hollow * (1 - bead)
        inward = (points - axes[0]) / np.linalg.norm(points - axes[0], axis=1, keepdims=True)
        scene.set_mesh_points(ball.data, points + inward * depth[:, None])


def modelled_hair(kit: FaceKit, vertices: Array, made: bpy.types.Material) -> None:
    """Thick locks over a solid cap, fused into one skin of clay."""
    rng = np.random.default_rng(12)
    tree = hair.scalp_surface(kit, vertices)
    guides = hair.guides(kit, vertices, tree, rng, 1000, 0.34, (0.10, 0.60))
    lines, radii = [], []
    for line in guides:
        if line[0, 1] < NAPE_CM:
            continue
        t = np.linspace(0, 1, len(line))
        lines.append(line)
        radii.append(rng.uniform(0.16, 0.30) * (0.55 + 0.45 * smoothstep(0, 0.2, t)) * (1 - 0.35 * t**3))
    braid = hair.coronet(tree, rng, 9, 0.20, 1.15)
    pieces = [_tubes(lines, radii), _tubes(braid.lines, braid.radii), _cap(kit, vertices)]
    data = _fuse(pieces)
    scene.link("hair", data, made)


def _cap(kit: FaceKit, vertices: Array) -> bpy.types.Object:
    """A closed shell under the locks, thinner along the parting and at the hairline."""
    weight = scalp_weight(kit)
    scalp = np.zeros(len(vertices), bool)
    scalp[:SKIN_VERTICES] = weight > 0.3
    aside = 0.35 + 0.65 * smoothstep(0.0, 0.8, np.abs(kit.neutral[:SKIN_VERTICES, 0]))
    outer = push_out(kit, vertices, 0.42 * smoothstep(0.3, 1.0, weight) * aside - 0.35)
    cap = scene.part_mesh("cap", kit, outer, ("face", "headneck"), None, 1, scalp)
    shell = cap.modifiers.new("thickness", "SOLIDIFY")
    shell.thickness, shell.offset = 0.7 / scene.UNIT_CM, 0.0
    return cap


def _tubes(lines: list[Array], radii: list[Array]) -> bpy.types.Object:
    data = bpy.data.curves.new("locks", "CURVE")
    data.dimensions, data.bevel_depth, data.bevel_resolution = "3D", 1.0 / scene.UNIT_CM, 3
    data.use_fill_caps = True
    for line, radius in zip(lines, radii, strict=True):
        spline = data.splines.new("POLY")
        spline.points.add(len(line) - 1)
        flat = np.c_[scene.to_blender(line), np.ones(len(line))].astype(np.float32)
        spline.points.foreach_set("co", flat.ravel())
        spline.points.foreach_set("radius", radius.astype(np.float32))
    return scene.link("locks", data)


def _fuse(pieces: list[bpy.types.Object]) -> bpy.types.Mesh:
    """One watertight mesh from overlapping pieces: voxel remesh, then a light smoothing."""
    points: list[Array] = []
    faces: list[list[int]] = []
    count = 0
    for piece in pieces:
        data = scene.bake(piece)
        points.append(scene.mesh_points(data))
        faces += [[v + count for v in polygon.vertices] for polygon in data.polygons]
        count += len(data.vertices)
    joined = scene.mesh("joined", np.concatenate(points), faces)
    remesh = joined.modifiers.new("remesh", "REMESH")
    remesh.mode, remesh.voxel_size = "VOXEL", VOXEL_CM / scene.UNIT_CM
    smooth = joined.modifiers.new("smooth", "SMOOTH")
    smooth.factor, smooth.iterations = 0.5, 3
    return scene.bake(joined)


def render(kit: FaceKit, out: Path, size: int, samples: int, threads: int, lens_mm: float) -> None:
    scene.reset()
    made = clay()
    straight = sculpt(kit, SITTER)
    vertices = turn_body(straight, SITTER.body_turn)
    head = scene.part_mesh("head", kit, straight, SKIN_PARTS, made, 2)
    bare = scene.surface(head.data)
    points = carve_brows(kit, straight, sharpen_lips(kit, straight, scene.mesh_points(head.data)))
    scene.set_mesh_points(head.data, turn_body(points, SITTER.body_turn))
    carved_eyes(kit, vertices, made)
    scene.part_mesh("lids", kit, vertices, ("lacL", "lacR"), made, 1)
    modelled_hair(kit, vertices, made)
    dress.mantle(
        bare, made, made, SITTER.body_turn, (-18.2, -13.3, -11.8), clearance=0.30, cord=0.30, fold_depth=0.62
    )

    studio.world((0.030, 0.031, 0.034))
    studio.area_light((-4.8, -5.4, 5.0), (0, -0.4, 0), 2.2, 720, (1.0, 0.93, 0.83))
    studio.area_light((6.0, -5.0, 0.6), (0, 0, 0), 4.0, 80, (0.80, 0.88, 1.0))
    studio.area_light((4.2, 4.5, 4.2), (0, 0, 0.2), 1.5, 330, (1.0, 0.91, 0.80))
    studio.area_light((-5.0, 3.5, 1.0), (0, 0, 0), 2.0, 90, (0.85, 0.9, 1.0))
    studio.camera(CAMERA, TARGET, lens_mm)
    studio.render(out, size, samples, threads, exposure=0.40, look="AgX - Medium High Contrast")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("facekit", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--samples", type=int, default=24)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--lens", type=float, default=119.0, help="focal length, mm")
    options = parser.parse_args()
    kit = FaceKit.load(options.facekit)
    plate = options.out.with_suffix(".png")
    render(kit, plate, options.size, options.samples, options.threads, options.lens)
    rgb, alpha = paint.read_plate(plate)
    alpha = alpha[..., None]
    picture = rgb * alpha + ground.gallery_wall() * (1 - alpha)
    picture += 1.2 * ground.cloud(0.3, 31)[..., None]
    paint.save(options.out, picture)


if __name__ == "__main__":
    main()
