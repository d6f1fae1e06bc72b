"""Calls of methods: layers, `super()`, properties, static and class methods, callable objects, hooks."""

from language import case, dvec, vec

from kayax import nn

UP, DOWN = dvec(1.0, 2.0, 3.0), dvec(-1.0, -2.0, -3.0)
H = vec(1.0, 2.0, 3.0)               # wants no gradient


@case(UP, DOWN, slow=True)
class method_of_layer(nn.Layer):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 3)

    def body(self, x):
        if x.sum() > 0:
            return self.linear(x)
        return x

    def forward(self, x):
        return self.body(x) + self.body(-x)


@case(UP, DOWN, slow=True)
class receiver_of_another_name(nn.Layer):
    def __init__(this):
        super().__init__()
        this.linear = nn.Linear(3, 3)
        this.k = 2.0

    def forward(this, x):
        if x.sum() > 0:
            return this.linear(x) * this.k
        return x


class Base(nn.Layer):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 3)

    def forward(self, x):
        if x.sum() > 0:
            return self.linear(x)
        return x * 2.0


@case(UP, DOWN, slow=True)
class super_call(Base):
    def forward(self, x):
        y = super().forward(x)
        if y.sum() > 0:
            return y + 1.0
        return y


@case(UP, DOWN, slow=True)
class super_call_with_names(Base):
    def forward(self, x):
        return super(super_call_with_names, self).forward(x) * 3.0        # noqa: UP008


@case(UP, DOWN)
class inherited_forward(Base):
    pass


@case(UP, DOWN)
class properties(nn.Layer):
    def __init__(self):
        super().__init__()
        self._scale = 2.0

    @property
    def scale(self):
        return self._scale + 1.0

    def forward(self, x):
        if x.sum() > 0:
            return x * self.scale
        return x


@case(UP, DOWN)
class static_and_class_methods(nn.Layer):
    factor = 3.0

    @staticmethod
    def clip(x):
        if x.sum() > 0:
            return x
        return x * 0.0

    @classmethod
    def scale(cls, x):
        if x.max() > 2:
            return x * cls.factor
        return x

    def forward(self, x):
        return self.clip(x) + self.scale(x)


@case(UP, DOWN)
class plain_class(object):                                      # noqa: UP004
    def __init__(self):
        self.k = 2.0

    def run(self, x):
        if x.sum() > 0:
            return x * self.k
        return self.other(x)

    def other(self, x):
        if x.min() < -2:
            return x + self.k
        return x


class Callable:
    def __init__(self, k):
        self.k = k

    def __call__(self, x):
        if x.sum() > 0:
            return x * self.k
        return x


@case((UP, Callable(3.0)), (DOWN, Callable(3.0)))
def callable_object_as_argument(x, fn):
    return fn(x)


@case(UP, DOWN)
def callable_object_made_inside(x):
    fn = Callable(4.0)
    return fn(x)


@case(UP, DOWN, slow=True)
class layer_in_layer(nn.Layer):
    def __init__(self):
        super().__init__()
        self.first = Base()
        self.second = nn.Sequential(nn.Linear(3, 3), Base())

    def forward(self, x):
        return self.second(self.first(x))


@case(UP, DOWN)
class forward_hooks(nn.Layer):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(3, 3)
        self.inner.register_forward_post_hook(self.hook)

    @staticmethod
    def hook(layer, inputs, output):
        if output.sum() > 0:
            return output * 2.0
        return output - 1.0

    def forward(self, x):
        return self.inner(x)


@case(UP, DOWN)
def local_class(x):
    class Box:
        def __init__(self, v):
            self.v = v

        def doubled(self):
            if self.v.sum() > 0:
                return self.v * 2.0
            return self.v

    return Box(x).doubled()


class Signed:
    def __init__(self, t):
        if t.sum() > 0:
            self.t, self.kind = t, 1
        else:
            self.t, self.kind = -t.astype("float64"), 0.5


@case(H, vec(-1.0, -2.0, -3.0))
def constructor_that_looks_at_its_tensor(x):
    made = Signed(x)
    return made.t * made.kind
