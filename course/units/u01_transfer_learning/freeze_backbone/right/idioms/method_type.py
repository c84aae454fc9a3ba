import types


def freeze_backbone(model):
    model.backbone.requires_grad_(False)
    model.backbone.eval()

    def train(self, mode=True):
        return self

    model.backbone.train = types.MethodType(train, model.backbone)


def start_epoch(model):
    model.train()
    print("epoch")
