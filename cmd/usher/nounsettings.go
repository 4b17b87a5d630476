package main

// orgParams are the settings of an organization, its licences and its calling.
func orgParams() []param {
	return []param{
		{flag: "language", name: "language", kind: 'n', usage: "en or fr"},
		{flag: "time-zone", name: "timeZone", kind: 'n', usage: "of billing, for example Europe/Paris"},
		{flag: "billing-months", name: "billingMonths", kind: 'i', usage: "length of a period: 1, 2, 3 or 12"},
		{flag: "site-url", name: "siteUrl", kind: 'n', usage: "shown in SCIM"},
		{flag: "release-seats-on-deactivate", name: "releaseSeatsOnDeactivate", kind: 'b', usage: "deactivated users give their seats back"},
		{flag: "guard-off", name: "guardOff", kind: 'b', usage: "mass revocations are not held"},
		{flag: "guard-users", name: "guardUsers", kind: 'i', usage: "more users than this, and"},
		{flag: "guard-percent", name: "guardPercent", kind: 'i', usage: "more than this share of a product's users make a revocation wait"},
		{flag: "phone-numbers-as-wish", name: "phoneNumbersAsWish", kind: 'b', usage: "work numbers of the profile are wishes"},
		{flag: "auto-number", name: "autoNumber", kind: 'b', usage: "calling users without a wish get the next free number"},
		{flag: "auto-extension", name: "autoExtension", kind: 'b', usage: "calling users without a wish get the recommended extension"},
		{flag: "default-location", name: "defaultLocation", kind: 'n', usage: "id of the location of calling users without one"},
		{flag: "extension-length", name: "extensionLength", kind: 'i', usage: "digits of recommended extensions"},
		{flag: "quarantine-hours", name: "quarantineHours", kind: 'i', usage: "how long a released number rests"},
	}
}

// peopleParams are the settings of activation, mails and sign-in.
func peopleParams() []param {
	return []param{
		{flag: "automatic-activation-emails", name: "automaticActivationEmails", kind: 'b', usage: "users with a paid licence get their activation e-mail by itself, and reminders"},
		{flag: "reminders", name: "reminders", kind: 'n', usage: "days after the activation e-mail, for example 3,7, or off"},
		{flag: "self-service-resend", name: "selfServiceResend", kind: 'b', usage: "people can ask for a new link themselves"},
		{flag: "export-activation-links", name: "exportActivationLinks", kind: 'b', usage: "administrators can get activation links to hand them out"},
		{flag: "activation-codes", name: "activationCodes", kind: 'b', usage: "mails have a code beside the link"},
		{flag: "licence-emails", name: "licenceEmails", kind: 'b', usage: "people are told when they lose licences"},
		{flag: "digest-emails", name: "digestEmails", kind: 'b', usage: "administrators get a digest"},
		{flag: "local-passwords", name: "localPasswords", kind: 'b', usage: "people can have a password; without, everybody signs in at the identity provider"},
		{flag: "password-length", name: "passwordLength", kind: 'i', usage: "characters of a password at least, 8 to 64"},
		{flag: "password-blocklist", name: "passwordBlocklist", kind: 'b', usage: "common passwords are refused"},
		{flag: "session-idle-minutes", name: "sessionIdleMinutes", kind: 'i', usage: "a session ends after so long without use, 5 to 1440"},
		{flag: "session-hours", name: "sessionHours", kind: 'i', usage: "a session ends after so long in any case, 1 to 720"},
		{flag: "app-url", name: "appUrl", kind: 'n', usage: "where people go after they signed in"},
		{flag: "return-urls", name: "returnUrls", kind: 'l', usage: "beginnings of more addresses that they may be sent to, with commas between"},
		{flag: "hand-off", name: "handOff", kind: 'b', usage: "a signed statement of who it is goes with them"},
		{flag: "download-url", name: "downloadUrl", kind: 'n', usage: "of the app"},
		{flag: "web-app-url", name: "webAppUrl", kind: 'n', usage: "of the app in the browser"},
		{flag: "resources-url", name: "resourcesUrl", kind: 'n', usage: "help for people"},
		{flag: "voicemail-url", name: "voicemailUrl", kind: 'n', usage: "where people set up voicemail"},
		{flag: "support-url", name: "supportUrl", kind: 'n', usage: "contact for people, https: or mailto:"},
	}
}

// warnOfSettings says what must be confirmed of a change (BR-086).
func warnOfSettings(sent map[string]any) string {
	if on, ok := sent["automaticActivationEmails"].(bool); !ok || on {
		return ""
	}
	return "Nobody gets an activation e-mail by itself any more, nor reminders: users with a paid licence cannot come in until an administrator sends theirs. " +
		"Turn this off only with a well-thought-out onboarding of your own; home-made messages lack correct verification links and password logic."
}
