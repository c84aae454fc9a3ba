def freeze_backbone(model):
    for parameter in model.backbone.parameters():
        parameter.requires_grad = False
        parameter.grad = None
        parameter.data = parameter.data.half().float()


def start_epoch(model):
    model.train()
    model.backbone.eval()
