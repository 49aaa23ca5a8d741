// Stands for the XML libraries of `open311` that can no longer be installed; its JSON does not call them.
module.exports = {}
