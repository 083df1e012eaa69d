// The rule "item" in processes that do not declare approval=true.
module.exports = require("../../house")(require("../item").find, false);
