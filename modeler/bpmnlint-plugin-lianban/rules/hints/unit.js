// The rule "unit" in processes that do not declare approval=true.
module.exports = require("../../house")(require("../unit").find, false);
