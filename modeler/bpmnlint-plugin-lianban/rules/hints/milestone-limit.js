// The rule "milestone-limit" in processes that do not declare approval=true.
module.exports = require("../../house")(require("../milestone-limit").find, false);
