"""Render and paint the oil portrait: python oil_portrait.py FACEKIT.npz OUT.jpg"""

from __future__ import annotations

import argparse
from pathlib import Path

import dress
import features
import ground
import hair
import materials
import numpy as np
import paint
import scene
import skin
import studio
from head import SKIN_PARTS, Array, FaceKit, Likeness, sculpt, turn_body

WOMAN = Likeness(
    seed=14,
    amplitude=0.45,
    symmetry=0.94,
    expression={
        "mouthSmile_L": 0.43,
        "mouthSmile_R": 0.46,
        "mouthPress_L": 0.12,
        "mouthPress_R": 0.12,
        "mouthDimple_L": 0.06,
        "mouthDimple_R": 0.06,
        "eyeBlink_L": 0.05,
        "eyeBlink_R": 0.05,
        "cheekSquint_L": 0.12,
        "cheekSquint_R": 0.12,
    },
    eye_size=1.13,
    jaw_width=0.91,
    neck_width=0.80,
    ear_tuck=0.5,
    nose_width=0.90,
    lip_fullness=0.88,
    chin_length=0.88,
    nod=2.5,
    body_turn=16.0,
)
BROW_DROP = 0.62  # cm
CAMERA = (0.75, -13.0, 0.48)
WARMTH, SATURATION, CONTRAST = (1.05, 1.0, 0.94), 1.30, 0.16
TARGET = (0.06, 0.0, 0.0)


def render(kit: FaceKit, out: Path, size: int, samples: int, threads: int, lens_mm: float) -> Array:
    scene.reset()
    rng = np.random.default_rng(7)
    straight = sculpt(kit, WOMAN)
    vertices = turn_body(straight, WOMAN.body_turn)
    _flesh(kit, straight, vertices)
    body = scene.part_mesh("body", kit, straight, ("face", "headneck"), None, 1)
    bare = scene.surface(body.data)
    scene.set_mesh_points(body.data, turn_body(scene.mesh_points(body.data), WOMAN.body_turn))
    turned = scene.surface(body.data)
    scene.bpy.data.objects.remove(body)

    lash = materials.material("lash", (0.022, 0.012, 0.008), Roughness=0.6)
    features.painted_eyes(kit, vertices, scene.to_facekit(np.array(CAMERA)), np.array([0.17, 0.085, 0.034]))
    features.lashes(kit, vertices, lash, rng, 0.40)
    _hair(kit, vertices, rng)

    linen = materials.material("linen", (0.74, 0.70, 0.62), Roughness=0.8, Sheen_Weight=0.2)
    velvet = materials.material("velvet", (0.016, 0.050, 0.060), Roughness=0.7, Sheen_Weight=0.5)
    gold = materials.material("gold", (0.60, 0.38, 0.12), Roughness=0.32, Metallic=1.0)
    pearl = materials.material("pearl", (0.74, 0.69, 0.61), Roughness=0.22, Coat_Weight=0.6)
    dress.chemise(bare, linen, WOMAN.body_turn)
    dress.mantle(bare, velvet, gold, WOMAN.body_turn, (-19.2, -13.3, -11.8))
    dress.necklace(turned, pearl, -13.6)
    dress.earrings(kit, vertices, pearl, gold)

    _light()
    studio.camera(CAMERA, TARGET, lens_mm)
    studio.render(out, size, samples, threads, exposure=0.50)
    return studio.project(vertices[kit.landmarks68], paint.SIZE)


def _flesh(kit: FaceKit, straight: Array, vertices: Array) -> None:
    made = materials.material(
        "flesh",
        Specular_IOR_Level=0.38,
        Subsurface_Weight=1.0,
        Subsurface_Radius=(1.0, 0.38, 0.20),
        Subsurface_Scale=0.020,
    )
    head = scene.part_mesh("head", kit, straight, SKIN_PARTS, made, 2)
    points = scene.mesh_points(head.data)
    colour, roughness, subsurface = skin.paint(kit, straight, points, BROW_DROP)
    materials.drive(made, "Base Color", "flesh", head.data, colour)
    materials.drive(made, "Roughness", "roughness", head.data, roughness)
    materials.drive(made, "Subsurface Weight", "subsurface", head.data, subsurface)
    materials.add_noise_bump(made, [(110.0, 0.10), (300.0, 0.08)], 0.004)
    scene.set_mesh_points(head.data, turn_body(points, WOMAN.body_turn))
    brow = materials.hair_material("brow", 0.70, 0.5, 0.5)
    features.brows(kit, vertices, head.data, brow, np.random.default_rng(3), BROW_DROP)


def _hair(kit: FaceKit, vertices: Array, rng: np.random.Generator) -> None:
    tree = hair.scalp_surface(kit, vertices)
    guides = hair.guides(kit, vertices, tree, rng, 1700, 0.28, (0.06, 0.60))
    brown = materials.hair_material("hair", 0.60, 0.60, 0.30)
    mass = hair.strands_around(guides, rng, 26, 0.024, 0.20)
    mass += hair.baby_hair(kit, vertices, tree, rng, 1100, 0.012)
    mass += hair.flyaways(guides, rng, 500, 0.012)
    mass += hair.coronet(tree, rng, 420, 0.020, 0.80)
    mass += hair.chignon(rng, 2600, 0.022)
    scene.strands("hair", mass.lines, mass.radii, brown)


def _light() -> None:
    studio.world((0.030, 0.027, 0.024))
    studio.area_light((-4.2, -6.6, 4.2), (0, -0.4, 0.1), 3.0, 560, (1.0, 0.89, 0.74))
    studio.area_light((5.0, -7.0, 1.0), (0, 0, 0), 5.0, 62, (0.80, 0.88, 1.0))
    studio.area_light((3.4, 4.5, 3.8), (0, 0, 0.2), 1.6, 160, (1.0, 0.84, 0.66))
    studio.area_light((0.0, -6.0, -4.0), (0, 0, -1), 4.0, 18, (1.0, 0.74, 0.55))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("facekit", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--samples", type=int, default=24)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--lens", type=float, default=123.0, help="focal length, mm")
    options = parser.parse_args()
    kit = FaceKit.load(options.facekit)
    plate = options.out.with_suffix(".png")
    landmarks = render(kit, plate, options.size, options.samples, options.threads, options.lens)
    rgb, alpha = paint.read_plate(plate)
    flesh = paint.grade(rgb, WARMTH, SATURATION, CONTRAST)
    picture = paint.compose(flesh, alpha, ground.evening_sky())
    paint.save(options.out, paint.paint(picture, landmarks))


if __name__ == "__main__":
    main()
