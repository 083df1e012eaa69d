// The rule "limit" in processes that do not declare approval=true.
module.exports = require("../../house")(require("../limit").find, false);
