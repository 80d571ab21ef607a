// A form that comes back refused: hands are where something is wrong, and a reader says what.

document.querySelector("main form [aria-invalid]:is(input, select, textarea):not([type=hidden])")?.focus();
