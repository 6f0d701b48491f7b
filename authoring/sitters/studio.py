"""Lights, camera and render; places and sizes in Blender units (10 cm)."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
from bpy_extras.object_utils import world_to_camera_view
from head import Array
from mathutils import Vector
from scene import Colour, link, to_blender


def area_light(place: Colour, target: Colour, size: float, watts: float, colour: Colour) -> None:
    """Places and sizes in Blender units."""
    data = bpy.data.lights.new("light", "AREA")
    data.size, data.energy, data.color = size, watts, colour
    _aim(link("light", data), place, target)


def camera(place: Colour, target: Colour, lens_mm: float) -> None:
    data = bpy.data.cameras.new("camera")
    data.lens = lens_mm
    thing = link("camera", data)
    _aim(thing, place, target)
    bpy.context.scene.camera = thing


def _aim(thing: bpy.types.Object, place: Colour, target: Colour) -> None:
    thing.location = place
    thing.rotation_euler = (Vector(target) - Vector(place)).to_track_quat("-Z", "Y").to_euler()


def project(points: Array, size: int) -> Array:
    """Pixel positions (n, 2), y down, of FaceKit points seen by the scene's camera."""
    view = bpy.context.scene
    bpy.context.view_layer.update()
    seen = [world_to_camera_view(view, view.camera, Vector(p)) for p in to_blender(points)]
    return np.array([[p.x * size, (1 - p.y) * size] for p in seen])


def world(colour: Colour) -> None:
    made = bpy.data.worlds.new("world")
    bpy.context.scene.world = made
    made.use_nodes = True
    next(n for n in made.node_tree.nodes if n.type == "BACKGROUND").inputs[0].default_value = (*colour, 1.0)


def render(
    path: Path, size: int, samples: int, threads: int, exposure: float, look: str = "AgX - Base Contrast"
) -> None:
    """Render RGBA with a transparent ground to a 16-bit PNG."""
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.device = "CPU"
    scene.cycles.samples = samples
    scene.cycles.use_denoising = True
    scene.cycles.denoiser = "OPENIMAGEDENOISE"
    scene.cycles.use_adaptive_sampling = True
    scene.cycles.adaptive_threshold = 0.02
    scene.cycles.max_bounces = 6
    scene.render.threads_mode, scene.render.threads = "FIXED", threads
    scene.render.resolution_x = scene.render.resolution_y = size
    scene.render.film_transparent = True
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = look
    scene.view_settings.exposure = exposure
    scene.render.filepath = str(path)
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.color_depth = "16"
    bpy.ops.render.render(write_still=True)
