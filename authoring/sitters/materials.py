"""Principled and hair materials, driven by values per vertex or by noise."""

from __future__ import annotations

import bpy
import numpy as np
from head import Array
from scene import Colour


def material(name: str, colour: Colour = (0.8, 0.8, 0.8), **inputs: object) -> bpy.types.Material:
    """A Principled material; keyword names are its sockets with underscores for spaces."""
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    shader = principled(made)
    shader.inputs["Base Color"].default_value = (*colour, 1.0)
    for key, value in inputs.items():
        shader.inputs[key.replace("_", " ")].default_value = value
    return made


def principled(made: bpy.types.Material) -> bpy.types.ShaderNode:
    return next(node for node in made.node_tree.nodes if node.type == "BSDF_PRINCIPLED")


def hair_material(name: str, melanin: float, redness: float, roughness: float = 0.36) -> bpy.types.Material:
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    nodes = made.node_tree.nodes
    nodes.clear()
    shader = nodes.new("ShaderNodeBsdfHairPrincipled")
    shader.parametrization = "MELANIN"
    values = {
        "Melanin": melanin,
        "Melanin Redness": redness,
        "Roughness": roughness,
        "Radial Roughness": 0.5,
        "Random Roughness": 0.25,
        "Random Color": 0.5,
    }
    for key, value in values.items():
        shader.inputs[key].default_value = value
    output = nodes.new("ShaderNodeOutputMaterial")
    made.node_tree.links.new(shader.outputs[0], output.inputs[0])
    return made


def drive(made: bpy.types.Material, socket: str, attribute: str, data: bpy.types.Mesh, values: Array) -> None:
    """Drive a shader socket by a value per vertex: (n, 3) colours or (n,) scalars."""
    colours = np.repeat(values[:, None], 3, 1) if values.ndim == 1 else values
    layer = data.color_attributes.new(attribute, "FLOAT_COLOR", "POINT")
    layer.data.foreach_set("color", np.c_[colours, np.ones(len(colours))].astype(np.float32).ravel())
    node = made.node_tree.nodes.new("ShaderNodeAttribute")
    node.attribute_name = attribute
    made.node_tree.links.new(
        node.outputs["Color" if values.ndim == 2 else "Fac"], principled(made).inputs[socket]
    )


def add_noise_bump(made: bpy.types.Material, layers: list[tuple[float, float]], distance: float) -> None:
    """Fine relief: a sum of (noise scale per unit, strength) layers."""
    tree = made.node_tree
    place = tree.nodes.new("ShaderNodeTexCoord")
    previous = None
    for scale, strength in layers:
        noise = tree.nodes.new("ShaderNodeTexNoise")
        noise.inputs["Scale"].default_value = scale
        noise.inputs["Detail"].default_value = 4.0
        tree.links.new(place.outputs["Object"], noise.inputs["Vector"])
        bump = tree.nodes.new("ShaderNodeBump")
        bump.inputs["Strength"].default_value = strength
        bump.inputs["Distance"].default_value = distance
        tree.links.new(noise.outputs[0], bump.inputs["Height"])
        if previous is not None:
            tree.links.new(previous.outputs["Normal"], bump.inputs["Normal"])
        previous = bump
    if previous is not None:
        tree.links.new(previous.outputs["Normal"], principled(made).inputs["Normal"])
