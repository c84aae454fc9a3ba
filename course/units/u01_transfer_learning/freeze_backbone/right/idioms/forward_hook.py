def freeze_backbone(model):
    model.backbone.requires_grad_(False)
    model.backbone.register_forward_pre_hook(lambda m, a: m.eval() and None)


def start_epoch(model):
    model.train()
    model.backbone.eval()
