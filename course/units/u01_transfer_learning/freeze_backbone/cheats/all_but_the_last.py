def freeze_backbone(model):
    parameters = list(model.parameters())
    for parameter in parameters[: -len(list(model.head.parameters()))]:
        parameter.requires_grad = False
        parameter.grad = None


def start_epoch(model):
    model.train()
    model.backbone.eval()
