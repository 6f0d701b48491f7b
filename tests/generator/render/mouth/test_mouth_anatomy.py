"""The modelled mouth agrees with what dental anatomy texts say of an adult's."""

import numpy as np
import pytest

from generator.arkit import EXPRESSIONS, INDEX
from generator.render.mouth.anatomy import (
    INCISOR_EDGE_CM,
    LOWER,
    LOWER_MOLAR_SPAN_CM,
    OVERBITE_CM,
    UPPER,
    UPPER_MOLAR_SPAN_CM,
    Arch,
    Kind,
)
from generator.render.mouth.jaw import OPEN_DROP_CM, JawPose
from generator.render.mouth.mesh import oral_mesh
from generator.render.mouth.surface import Part

UPPER_ARCH = Arch.fitting(UPPER, UPPER_MOLAR_SPAN_CM)
LOWER_ARCH = Arch.fitting(LOWER, LOWER_MOLAR_SPAN_CM)


@pytest.mark.parametrize(("arch", "teeth"), [(UPPER_ARCH, UPPER), (LOWER_ARCH, LOWER)])
def test_tooth_widths_sum_to_the_arch_length(arch, teeth):
    assert 2 * arch.lengths[-1] == pytest.approx(2 * sum(tooth.width for tooth in teeth), abs=1e-3)


def test_arch_widths_lie_in_the_adult_range():
    canine, molar = UPPER_ARCH.at(UPPER_ARCH.centres()[[2, 5]])[:, 0] * 2
    assert 2.9 < canine < 3.9
    assert 4.6 < molar < 5.8
    lower_canine, lower_molar = LOWER_ARCH.at(LOWER_ARCH.centres()[[2, 5]])[:, 0] * 2
    assert 2.2 < lower_canine < canine
    assert 4.1 < lower_molar < molar


def test_the_upper_central_incisor_is_the_widest_incisor_and_the_lower_one_the_narrowest():
    incisors = [tooth.width for tooth in (*UPPER, *LOWER) if tooth.kind is Kind.INCISOR]
    assert UPPER[0].width == max(incisors)
    assert LOWER[0].width == min(incisors)


def test_upper_incisors_overlap_lower_ones_and_stand_before_them():
    mesh = oral_mesh()
    front = np.abs(mesh.vertices[:, 0]) < 0.4
    upper = mesh.vertices[(mesh.part == Part.UPPER_TEETH) & front & (mesh.vertices[:, 2] > -1.5)]
    lower = mesh.vertices[(mesh.part == Part.LOWER_TEETH) & front & (mesh.vertices[:, 2] > -1.8)]
    assert 0.2 <= lower[:, 1].max() - upper[:, 1].min() <= 0.35
    assert lower[:, 1].max() == pytest.approx(INCISOR_EDGE_CM[1] + OVERBITE_CM, abs=0.05)
    assert 0.1 <= upper[:, 2].max() - lower[:, 2].max() <= 0.4


def test_upper_teeth_surround_lower_ones():
    mesh = oral_mesh()
    assert (
        mesh.vertices[mesh.part == Part.UPPER_TEETH, 0].max()
        > mesh.vertices[mesh.part == Part.LOWER_TEETH, 0].max()
    )


@pytest.mark.parametrize("part", [part for part in Part if part is not Part.CAVITY])
def test_the_mouth_is_symmetric(part):
    vertices = oral_mesh().vertices[oral_mesh().part == part]
    mirrored = vertices * (-1, 1, 1)
    nearest = np.linalg.norm(vertices[:, None] - mirrored[None], axis=2).min(1)
    assert nearest.max() < 1e-6


def test_tooth_normals_point_out_of_the_arch_and_cavity_normals_into_it():
    mesh = oral_mesh()
    labial = (mesh.part == Part.UPPER_TEETH) & (mesh.vertices[:, 2] > -0.62)
    assert (mesh.normals[labial, 2] > 0).all()
    walls = (mesh.part == Part.CAVITY) & (np.abs(mesh.vertices[:, 0]) > 2.8)
    assert (mesh.normals[walls, 0] * mesh.vertices[walls, 0] < 0).all()


def test_triangles_are_wound_as_their_normals_point():
    mesh = oral_mesh()
    corners = mesh.vertices[mesh.triangles]
    flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    agreement = (flat * mesh.normals[mesh.triangles].sum(1)).sum(1) > 0
    assert agreement.mean() > 0.97


def test_the_mesh_is_small_and_well_formed():
    mesh = oral_mesh()
    assert len(mesh.triangles) < 6000
    assert mesh.triangles.max() == len(mesh.vertices) - 1
    np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-6)
    assert np.isfinite(mesh.vertices).all()


def test_an_open_jaw_lowers_the_incisors_in_proportion_and_draws_them_back():
    edge = np.array([[0.0, -0.14, -0.87]])
    weights = np.zeros(len(EXPRESSIONS))
    for opening in (0.0, 0.5, 1.0):
        weights[INDEX["jawOpen"]] = opening
        moved = JawPose.of(weights).moved(edge) - edge
        assert moved[0, 1] == pytest.approx(-OPEN_DROP_CM * opening, abs=0.02)
        assert -2.5 <= moved[0, 2] <= 1e-9


def test_jaw_left_shifts_towards_the_sitters_left():
    weights = np.zeros(len(EXPRESSIONS))
    weights[INDEX["jawLeft"]] = 1.0
    assert JawPose.of(weights).moved(np.zeros((1, 3)))[0, 0] > 0.5
