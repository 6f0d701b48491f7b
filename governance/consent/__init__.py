"""With whose consent a face is animated: grants signed by the person, attestations, standing refusals."""
