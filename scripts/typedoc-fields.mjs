/** A plugin of typedoc: the fields of a type written in place, as the result `{ dx, dw, db }`, are described by the docstring of what they belong to. */
import { Converter, ReflectionKind } from 'typedoc'

export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => {
    const fields = project.getReflectionsByKind(ReflectionKind.Property).filter(isOfTypeInPlace)
    const names = fields.filter((field) => !field.hasComment()).map((field) => field.getFriendlyFullName())
    app.options.setValue('intentionallyNotDocumented', [...new Set(names)])
  })
}

/** Parameters are left out: typedoc does not ask for docstrings of their fields, and complains about exceptions that it does not need. */
function isOfTypeInPlace(field) {
  for (let owner = field.parent; owner; owner = owner.parent) if (owner.kindOf(ReflectionKind.Parameter)) return false
  return field.parent.kindOf(ReflectionKind.TypeLiteral)
}
