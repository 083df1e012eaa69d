// The rule "statutory-limit" in processes that do not declare approval=true.
module.exports = require("../../house")(require("../statutory-limit").find, false);
