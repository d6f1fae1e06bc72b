# Guide 3.5.1 (1): make an InputSpec.
from kayax.static import InputSpec

x = InputSpec([None, 784], 'float32', 'x')
label = InputSpec([None, 1], 'int64', 'label')

print(x)
print(label)
