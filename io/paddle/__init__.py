"""Models of PaddlePaddle itself: its program and parameter files read into Layers, without PaddlePaddle."""
